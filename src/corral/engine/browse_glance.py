"""Browse a queue at a glance: what metrics and overviews show of it, in one call. Nothing here writes."""

from __future__ import annotations

from typing import Final, NamedTuple

from corral.contracts.states import JobState
from corral.engine.gather_samples import TimesOfJob
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["Glance", "glance_at_queue"]

_STATES: Final = tuple(state for state in JobState if state is not JobState.UNKNOWN)


class Glance(NamedTuple):
    """What the server says of a queue at one moment (ms)."""

    now: int
    counts: dict[JobState, int]
    is_paused: bool
    completed: int
    """How many have ever completed, as BullMQ's metrics count."""
    failed: int
    line: list[TimesOfJob]
    """The jobs that are next in line, one of each line."""


async def glance_at_queue(server: Server, keys: QueueKeys, *, clock: Word = "") -> Glance:
    """Look at one queue."""
    now, counts, paused, completed, failed, line = await server.run(
        load("browse/glance_at_queue"), keys, keys.base, clock
    )
    by_state = dict(zip(_STATES, counts, strict=True))
    rows = [TimesOfJob(timestamp, opts, b"", b"", b"") for timestamp, opts in line]
    return Glance(now, by_state, bool(paused), completed, failed, rows)
