"""Control of what is left of jobs that are in no state."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["remove_orphans"]

SEARCH: Final = 20_000
"""How many listed ids a call looks through once more: some milliseconds."""


async def remove_orphans(
    server: Server,
    keys: QueueKeys,
    orphans: Sequence[tuple[str, bytes]],
    *,
    clock: Word = "",
    search: int = SEARCH,
) -> int:
    """Remove jobs that are in no state and whose mark is still the same. Returns how many. May be sent again."""
    words = chain.from_iterable((wire_id.encode(errors="surrogateescape"), mark) for wire_id, mark in orphans)
    removed: int = await server.run(load("control/remove_orphans"), keys, keys.base, clock, search, *words)
    return removed
