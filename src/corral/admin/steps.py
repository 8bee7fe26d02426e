"""An operation that is done in steps, each of which may be sent again until it is answered."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from corral.engine.server import Server

__all__ = ["Progress", "Steps"]

T = TypeVar("T")

Progress: TypeAlias = Callable[[int, int], None]
"""Told how much of an operation is done, and of how much: what there was when it began."""


class Steps:
    """The numbered calls of one operation: the server knows one that it is sent again, and carries it out once."""

    def __init__(self, server: Server, on_progress: Progress | None = None, *, total: int = 0) -> None:
        self._server = server
        self._sender = f"admin:{secrets.token_hex(16)}"
        self._number = 0
        self._on_progress = on_progress
        self._done = 0
        self.total = total

    async def take(self, step: Callable[[str, int], Awaitable[T]]) -> T:
        """Make one call, given the sender and the number that it is sent with. Raises `ServerUnavailable`."""
        self._number += 1
        number = self._number
        return await self._server.patiently(lambda: step(self._sender, number))

    async def plain(self, step: Callable[[], Awaitable[T]]) -> T:
        """Make one call that needs no number, because carried out twice it does no harm."""
        return await self._server.patiently(step)

    def advance(self, done: int) -> None:
        """So much more is done."""
        self._done += done
        if self._on_progress is not None:
            self._on_progress(self._done, max(self.total, self._done))
