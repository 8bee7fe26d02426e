"""Gather quarters of an hour: samples put together, so that a look at a week does not read each of its minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["last_quarter", "write_quarters"]

KEPT_QUARTERS: Final = 7 * 24 * 4
KEEP_MS: Final = 7 * 24 * 3600 * 1000


async def last_quarter(server: Server, keys: QueueKeys) -> int | None:
    """When the last quarter began that is kept (ms)."""
    entries = await server.call("XREVRANGE", keys.key("quarters"), "+", "-", "COUNT", 1)
    return int(entries[0][0].partition(b"-")[0]) if entries else None


async def write_quarters(server: Server, keys: QueueKeys, rows: Sequence[tuple[int, str]]) -> int:
    """Keep quarters, the earliest first, but for those at or before the last that is kept. How many are kept."""
    words: list[Word] = [word for row in rows for word in row]
    most, keep_ms = KEPT_QUARTERS, KEEP_MS
    kept: int = await server.run(load("gather/write_quarters"), keys, most, keep_ms, *words)
    return kept
