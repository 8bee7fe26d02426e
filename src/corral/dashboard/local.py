"""Whether a request comes from this machine, from a developer, and through nobody."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.datastructures import Headers

__all__ = ["is_local"]

FORWARDING: Final = re.compile(
    r"forwarded|x-forwarded-.*|x-real-ip|x-client-ip|x-original-.*|via|true-client-ip|cf-connecting-ip|x-envoy-.*"
)
"""What proxies add. One on the same host has a loopback socket, too, and is not local."""


def is_local(scope: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    """`CORRAL_ENV=development`, a loopback socket at both ends, a loopback `Host`, and no header of a proxy.

    The `Host` is part of it because a page of any site may let its name resolve to 127.0.0.1 (DNS rebinding).
    """
    headers = Headers(scope=dict(scope))
    return (
        environment.get("CORRAL_ENV") == "development"
        and _is_loopback_socket(scope.get("client"))
        and _is_loopback_socket(scope.get("server"))
        and len(headers.getlist("host")) == 1
        and _is_loopback(_host_of(headers["host"]))
        and not any(FORWARDING.fullmatch(name) for name in headers)
    )


def _is_loopback_socket(end: Any) -> bool:
    return bool(end) and _is_loopback(str(end[0]))


def _host_of(host: str) -> str:
    found = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?|([^:\[\]]+)(?::\d+)?", host)
    return "" if found is None else found[1] or found[2]


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
