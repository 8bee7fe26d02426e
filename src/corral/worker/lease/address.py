"""The server's address as the renewer takes it, from what the engine read out of the URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corral.engine.address import Address, Node
from corral.worker.lease.settings import SentinelLogin, ServerAddress, TlsSettings

__all__ = ["renewer_address"]


def renewer_address(address: Address) -> ServerAddress:
    """Where the renewer connects to: the same place, user and certificates as the worker."""
    options, sentinel = address.options, address.sentinel_options
    first, *others = address.nodes or (Node("localhost", 6379),)
    return ServerAddress(
        host=first.host,
        port=first.port,
        unix_path=options.get("path"),
        username=options.get("username"),
        password=options.get("password"),
        db=int(options.get("db") or 0),
        tls=_tls(options) if address.tls else None,
        others=tuple((node.host, node.port) for node in others),
        master=address.master,
        sentinel=SentinelLogin(
            username=sentinel.get("username"),
            password=sentinel.get("password"),
            tls=_tls(sentinel) if address.sentinel_tls else None,
        ),
    )


def _tls(options: Mapping[str, Any]) -> TlsSettings:
    return TlsSettings(
        verify=options.get("ssl_cert_reqs", "required") != "none",
        check_hostname=bool(options.get("ssl_check_hostname", True)),
        ca_file=options.get("ssl_ca_certs"),
        ca_path=options.get("ssl_ca_path"),
        ca_data=options.get("ssl_ca_data"),
        cert_file=options.get("ssl_certfile"),
        key_file=options.get("ssl_keyfile"),
        key_password=options.get("ssl_password"),
    )
