"""Browse the past of queues: what was sampled, minute by minute or by quarters of an hour. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from corral.engine.faults import ResponseError, is_wrong_type
from corral.engine.keys import QueueKeys
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["History", "read_histories"]

MOST_ENTRIES: Final = 7 * 24 * 60

Row = tuple[int, bytes]
"""When it began (ms), and what it brought."""


class History(NamedTuple):
    """Quarters of an hour, and the samples behind them, the earliest first."""

    quarters: list[Row]
    samples: list[Row]


async def read_histories(
    server: Server, queues: Sequence[QueueKeys], since_ms: int, *, by_quarters: bool
) -> list[History]:
    """What is kept of several queues from a time on, by quarters as far as there are any or by the minute. Nothing of a
    queue whose keys are damaged."""
    since, coarsely, most = since_ms, int(by_quarters), MOST_ENTRIES
    replies = await server.run_each(load("browse/read_history"), queues, lambda _: (since, coarsely, most))
    return [_history(reply) for reply in replies]


def _history(reply: Sequence[list[Any]] | ResponseError) -> History:
    if isinstance(reply, ResponseError):
        if not is_wrong_type(reply):
            raise reply
        return History([], [])
    quarters, samples = (list(zip(map(int, flat[::2]), flat[1::2], strict=True)) for flat in reply)
    return History(quarters, samples)
