"""TLS and mutual TLS with a real server, the renewer too. Debian's redis-server has TLS, the one of the wheel none."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from corral import Client, Queue, ServerRefused, Worker
from corral.engine.settings import server_settings
from tests.servers import ServerProcess, free_port
from tests.topologies import MASTER, Sentinel

pytestmark = pytest.mark.tls


class Certificates:
    """An authority, a server's certificate for these names, and a client's, made with openssl."""

    def __init__(self, folder: Path, names: str = "DNS:localhost") -> None:
        self.folder = folder
        self.ca, self.other_ca = folder / "ca.pem", folder / "other.pem"
        for name in ("ca", "other"):
            self._openssl(
                "req", "-x509", *self._new(name), "-subj", f"/CN={name}", "-days", "2", "-out", f"{name}.pem"
            )
        for name in ("server", "client"):
            self._openssl("req", *self._new(name), "-subj", f"/CN={name}", "-out", f"{name}.csr")
            (folder / "names").write_text(f"subjectAltName={names}\n")
            self._openssl(
                "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                "-days", "2", "-extfile", "names", "-out", f"{name}.pem",
            )  # fmt: skip

    def _new(self, name: str) -> list[str]:
        return [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            f"{name}.key",
        ]

    def _openssl(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    @property
    def trusting(self) -> str:
        """The query of a client that trusts the authority."""
        return f"?ssl_ca_certs={self.ca}"

    @property
    def showing(self) -> str:
        """The query of one that shows its own certificate as well."""
        return f"{self.trusting}&ssl_certfile={self.folder}/client.pem&ssl_keyfile={self.folder}/client.key"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Made once."""
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=["no", "yes"], ids=["tls", "mutual"])
def guarded(request: pytest.FixtureRequest, certificates: Certificates) -> Iterator[tuple[str, str]]:
    """A server that speaks TLS only, with or without certificates of clients: its place, and the query that fits."""
    port, folder = free_port(), certificates.folder
    arguments = (
        "--port", "0", "--tls-port", str(port), "--tls-cert-file", f"{folder}/server.pem",
        "--tls-key-file", f"{folder}/server.key", "--tls-ca-cert-file", str(certificates.ca),
        "--tls-auth-clients", request.param,
    )  # fmt: skip
    with ServerProcess("redis7", args=arguments):
        yield f"localhost:{port}/0", certificates.showing if request.param == "yes" else certificates.trusting


@pytest.fixture
def guarded_sentinel(certificates: Certificates) -> Iterator[str]:
    """A sentinel that speaks TLS only and watches a plain primary: the URL, where the worker's sentinel is asked."""
    port, folder = free_port(), certificates.folder
    settings = (
        f"tls-port {port}", "port 0", "tls-auth-clients no", f"tls-cert-file {folder}/server.pem",
        f"tls-key-file {folder}/server.key", f"tls-ca-cert-file {certificates.ca}",
    )  # fmt: skip
    with ServerProcess("redis7") as primary, Sentinel(primary, quorum=1, settings=settings):
        yield f"redis+sentinel://localhost:{port}/{MASTER}{certificates.trusting}&sentinel_tls=true"


async def test_behind_guarded_sentinels(guarded_sentinel: str) -> None:
    """Sentinels with TLS before a primary without: the renewer, too, asks them so, and a long job runs once."""
    await run_long_job(guarded_sentinel)


async def test_a_job_runs(guarded: tuple[str, str]) -> None:
    """Client, worker and renewer connect: a job that runs longer than its lock lasts runs once."""
    place, query = guarded
    await run_long_job(f"rediss://{place}{query}")


async def run_long_job(url: str) -> None:
    """Run a job that takes longer than its lock lasts, and see that it ran once."""
    queue, runs = Queue("mail"), list[int]()

    @queue.task
    async def long(_: None) -> None:
        runs.append(1)
        await asyncio.sleep(2)  # a slow handler

    async with Client(url) as client, Worker(queue, url=url, lock_duration=0.8, stalled_interval=0.4):
        await (await long.enqueue(client, None)).result(timeout=20)
    assert runs == [1]


async def refusal(url: str) -> str:
    """What `enqueue` says."""
    async with Client(url) as client:
        with pytest.raises(ServerRefused) as refused:
            await client.queue("mail").enqueue("long", None)
    assert "certificate" in refused.value.remedy
    return refused.value.reason


async def test_what_is_refused(guarded: tuple[str, str], certificates: Certificates) -> None:
    """A certificate that nobody trusts, and one for another host, each with its reason."""
    place, query = guarded
    assert "CERTIFICATE_VERIFY_FAILED" in await refusal(f"rediss://{place}")
    assert "CERTIFICATE_VERIFY_FAILED" in await refusal(
        f"rediss://{place}?ssl_ca_certs={certificates.other_ca}"
    )
    by_number = place.replace("localhost", "127.0.0.1")
    assert "127.0.0.1" in await refusal(f"rediss://{by_number}{query}")
    async with Client(f"rediss://{by_number}{query}&ssl_check_hostname=false") as client:
        assert (await client.queue("mail").enqueue("long", None)).created


@pytest.mark.parametrize("guarded", ["yes"], indirect=True)
async def test_no_certificate_of_our_own(guarded: tuple[str, str], certificates: Certificates) -> None:
    """A server that wants one refuses for good."""
    assert "certificate" in (await refusal(f"rediss://{guarded[0]}{certificates.trusting}")).lower()


async def test_variables(guarded: tuple[str, str], certificates: Certificates) -> None:
    """The files may come from the environment."""
    environ = {
        "REDIS_URL": f"rediss://{guarded[0]}",
        "REDIS_TLS_CA": str(certificates.ca),
        "REDIS_TLS_CERT": f"{certificates.folder}/client.pem",
        "REDIS_TLS_KEY": f"{certificates.folder}/client.key",
    }
    async with Client(server_settings(environ=environ).url) as client:
        assert (await client.queue("mail").enqueue("long", None)).created


async def test_a_port_without_tls(make_server: Callable[..., ServerProcess]) -> None:
    """It is not waited for: the error says what the port is."""
    server = make_server(kind="redis7")
    assert "without TLS" in await refusal(f"rediss://localhost:{server.port}")
