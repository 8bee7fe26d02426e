"""Report: what a worker says of itself."""

from __future__ import annotations

from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["drop_record", "write_beat"]

FORGET_MS: Final = 10 * 60_000
"""A worker that died without a word is shown for so long: somebody may want to know."""


async def write_beat(
    server: Server, keys: QueueKeys, instance: str, record: bytes, *, clock: Word = ""
) -> int:
    """Store what a worker says of itself, for one of its queues. Forgets those that have said nothing for ten minutes;
    how many, at most 100 a call."""
    forget_ms = FORGET_MS
    forgotten: int = await server.run(load("report/write_beat"), keys, clock, instance, record, forget_ms)
    return forgotten


async def drop_record(server: Server, keys: QueueKeys, instance: str) -> bool:
    """Forget a worker that leaves. False when it was not known."""
    return bool(await server.run(load("report/drop_record"), keys, instance))
