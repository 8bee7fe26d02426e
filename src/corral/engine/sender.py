"""Numbered calls: what an operator asks for may be sent again until it is answered, and is carried out once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

from corral.engine.server import Server

__all__ = ["UNNUMBERED", "Sender", "Sent"]

T = TypeVar("T")


class Sent(NamedTuple):
    """Who makes a call, and which of its calls this is."""

    sender: str
    number: int


UNNUMBERED = Sent("", 0)
"""A call that is never sent again."""


class Sender:
    """Makes calls one after the other, each with its number."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._name = uuid.uuid4().hex
        self._number = 0
        self._turn = asyncio.Lock()

    async def send(self, call: Callable[[Sent], Awaitable[T]]) -> T:
        """Make a call until it is answered. Raises `ServerUnavailable` when the server's patience is over."""
        async with self._turn:
            self._number += 1
            sent = Sent(self._name, self._number)
            return await self._server.patiently(lambda: call(sent))
