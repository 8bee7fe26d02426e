"""Where a request of a browser comes from: changes are taken only from our own pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["SAFE_METHODS", "from_elsewhere"]

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def from_elsewhere(method: str, headers: Mapping[str, str]) -> bool:
    """Whether a page of another site sent this change. `Sec-Fetch-Site` decides where a browser says it, `Origin`
    against `Host` where it does not; a program that is no browser sends neither."""
    if method in SAFE_METHODS:
        return False
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and (origin == "null" or origin.partition("://")[2] != headers.get("host"))
