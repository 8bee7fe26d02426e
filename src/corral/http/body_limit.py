"""How much of a request is read at most, whoever sends it."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import Message, Receive

from corral.http.problem import Problem

__all__ = ["MOST_BYTES", "check_length", "limited"]

MOST_BYTES: Final = 8 * 1024 * 1024
"""Bytes of a body: a payload may have one mebibyte where its task does not say more."""


def check_length(connection: HTTPConnection) -> None:
    """Refuse a body that says itself that it is too large. Raises `Problem` 413."""
    length = connection.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > MOST_BYTES:
        raise _too_large()


def limited(receive: Receive) -> Receive:
    """Receive no more than that: what does not say how long it is is counted. Raises `Problem` 413 where it is read."""
    seen = 0

    async def receive_some() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise _too_large()
        return message

    return receive_some


def _too_large() -> Problem:
    return Problem(413, "request-too-large", f"a request may have {MOST_BYTES:,} bytes; nothing was changed")
