"""The server's address as the renewer takes it, from redis-py's connection options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corral.worker.lease.settings import ServerAddress, TlsSettings

__all__ = ["address_from_options"]


def address_from_options(options: Mapping[str, Any]) -> ServerAddress:
    """Where the renewer connects to: the same place, user and certificates as the worker."""
    return ServerAddress(
        host=options.get("host", "localhost"),
        port=int(options.get("port", 6379)),
        unix_path=options.get("path"),
        username=options.get("username"),
        password=options.get("password"),
        db=int(options.get("db") or 0),
        tls=_tls(options) if any(name.startswith("ssl") for name in options) else None,
    )


def _tls(options: Mapping[str, Any]) -> TlsSettings:
    return TlsSettings(
        verify=str(options.get("ssl_cert_reqs", "required")).lower() not in ("none", "0"),
        check_hostname=bool(options.get("ssl_check_hostname", True)),
        ca_file=options.get("ssl_ca_certs"),
        ca_path=options.get("ssl_ca_path"),
        cert_file=options.get("ssl_certfile"),
        key_file=options.get("ssl_keyfile"),
        key_password=options.get("ssl_password"),
    )
