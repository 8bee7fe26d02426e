"""The renewer's connection over TLS."""

from __future__ import annotations

import dataclasses
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corral.worker.lease.renewer.connection import Connection
from corral.worker.lease.settings import ServerAddress, TlsSettings

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make certificates")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a certificate for `localhost`, signed by itself, and its key."""
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost"
    names = ["-addext", "subjectAltName=DNS:localhost", "-addext", "keyUsage=digitalSignature,keyCertSign"]
    key = path.with_suffix(".key")
    subprocess.run([*command.split(), *names, "-keyout", key, "-out", path], check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """A TLS server that answers each connection's first command with 42."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(raw, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b":42\r\n")
            except OSError:  # the client refused the certificate
                raw.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def settings(port: int, tls: TlsSettings, host: str = "localhost") -> dict[str, Any]:
    """An address as the renewer gets it."""
    return dataclasses.asdict(ServerAddress(host, port, tls=tls))


def call(address: dict[str, Any]) -> object:
    """Make one call and close the connection."""
    connection = Connection(address, timeout=10)
    try:
        return connection.call(b"PING")
    finally:
        connection.close()


def test_a_known_certificate_is_accepted(port: int, certificate: Path) -> None:
    """A certificate of the given authority is good, for the name that it has."""
    assert call(settings(port, TlsSettings(ca_file=str(certificate)))) == 42


def test_an_unknown_certificate_is_refused(port: int) -> None:
    """Without the authority the connection is refused; `verify=False` asks for nothing."""
    with pytest.raises(ssl.SSLCertVerificationError):
        call(settings(port, TlsSettings()))
    assert call(settings(port, TlsSettings(verify=False))) == 42


def test_another_name_is_refused(port: int, certificate: Path) -> None:
    """A certificate is good for its own names only, unless names are not to be checked."""
    with pytest.raises(ssl.SSLCertVerificationError):
        call(settings(port, TlsSettings(ca_file=str(certificate)), "127.0.0.1"))
    assert (
        call(settings(port, TlsSettings(ca_file=str(certificate), check_hostname=False), "127.0.0.1")) == 42
    )
