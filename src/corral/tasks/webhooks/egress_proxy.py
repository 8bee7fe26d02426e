"""The proxy that deliveries go through, where a network lets nothing out by another way."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

import httpcore
from pydantic import ValidationError
from pydantic_core import Url

from corral.errors import InvalidOption

__all__ = ["egress_proxy"]

SCHEMES: Final = ("http", "https")
NO_PROXY: Final = "give the URL of an HTTP proxy, with its port: http://egress.internal:4750"


def egress_proxy(url: str) -> httpcore.Proxy:
    """The proxy of a URL, which may hold a user and a password. Raises `InvalidOption`, and does not tell them."""
    try:
        parsed = Url(url)
    except ValidationError:
        raise InvalidOption("proxy", "a URL", NO_PROXY) from None
    if parsed.scheme not in SCHEMES or not parsed.host or (parsed.path or "/") != "/":
        raise InvalidOption("proxy", f"{parsed.scheme}://{parsed.host}", NO_PROXY)
    origin = httpcore.URL(
        scheme=parsed.scheme.encode(), host=parsed.host.strip("[]").encode(), port=parsed.port, target=b"/"
    )
    auth = None
    if parsed.username is not None:
        auth = (unquote(parsed.username).encode(), unquote(parsed.password or "").encode())
    return httpcore.Proxy(origin, auth=auth)
