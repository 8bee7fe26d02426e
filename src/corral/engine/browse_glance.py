"""Browse a queue at a glance: what metrics and overviews show of it, in one call. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from corral.contracts.states import JobState
from corral.engine.faults import ResponseError
from corral.engine.gather_samples import TimesOfJob
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["Glance", "glance_at_queues"]

_STATES: Final = tuple(state for state in JobState if state is not JobState.UNKNOWN)


class Glance(NamedTuple):
    """What the server says of a queue at one moment (ms)."""

    now: int
    counts: dict[JobState, int]
    is_paused: bool
    completed: int
    """How many have ever completed, as BullMQ's metrics count."""
    failed: int
    last_failed: float
    """When the last of its failed jobs failed (ms); 0 where there is none."""
    line: list[TimesOfJob]
    """The jobs that are next in line, one of each line."""


async def glance_at_queues(
    server: Server, queues: Sequence[QueueKeys], *, clock: Word = ""
) -> list[Glance | ResponseError]:
    """Look at several queues at once; what the server says instead of those whose keys are damaged."""
    replies = await server.run_each(load("browse/glance_at_queue"), queues, lambda keys: (keys.base, clock))
    return [reply if isinstance(reply, ResponseError) else _glance(reply) for reply in replies]


def _glance(reply: Sequence[Any]) -> Glance:
    now, counts, paused, completed, failed, last_failed, line = reply
    by_state = dict(zip(_STATES, counts, strict=True))
    rows = [TimesOfJob(timestamp, opts, b"", b"", b"") for timestamp, opts in line]
    return Glance(now, by_state, bool(paused), completed, failed, float(last_failed), rows)
