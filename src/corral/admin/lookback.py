"""The lookback: what happened in queues, over an hour or a week, in a bounded number of stretches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Final

from corral.contracts.stretch import (
    MINUTE_MS,
    QUARTER_MS,
    Stretch,
    in_stretches,
    put_together,
    side_by_side,
    stretches_in,
)
from corral.engine.browse_history import History, read_histories
from corral.engine.gather_quarters import last_quarter, write_quarters
from corral.engine.gather_samples import read_samples
from corral.engine.keys import QueueKeys
from corral.engine.server import Server

__all__ = ["Lookback", "Past", "roll_up", "sum_of"]

LATE_MS: Final = 10_000
"""A minute's sample is there some seconds after it has ended."""


@dataclass(frozen=True, slots=True)
class Past:
    """Stretches of the same length that follow each other."""

    begin: int
    """When the first began (ms)."""
    step: int
    """How long each is (ms)."""
    end: int
    """Up to when there can be samples (ms): the last stretch may go on beyond."""
    stretches: tuple[Stretch | None, ...]
    """None where there is no sample."""

    @property
    def is_empty(self) -> bool:
        """Whether there is no sample at all."""
        return not any(self.stretches)

    @property
    def latest(self) -> Stretch | None:
        """The last stretch of which there can be samples; None when there is none of it."""
        return self.stretches[-1]


class Lookback:
    """Looks back at any number of queues in one round trip, whatever is in them. Reads quarters of an hour where the
    stretches are as long, else minutes."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def read(
        self, queues: Sequence[str], *, minutes: int, step: int, now_ms: int | None = None
    ) -> list[Past]:
        """The last `minutes` of each queue, in stretches of `step` minutes."""
        step_ms, now = step * MINUTE_MS, int(time.time() * 1000) if now_ms is None else now_ms
        end = (now - LATE_MS) // MINUTE_MS * MINUTE_MS
        number = minutes // step
        begin = -(-end // step_ms) * step_ms - number * step_ms
        by_quarters = step_ms % QUARTER_MS == 0
        keys = [self._server.keys(queue) for queue in queues]
        found = await self._server.patiently(
            lambda: read_histories(self._server, keys, begin, by_quarters=by_quarters)
        )
        return [Past(begin, step_ms, end, _stretches(one, begin, step_ms, number)) for one in found]


def sum_of(pasts: Sequence[Past]) -> Past:
    """What several queues, at least one, did together."""
    first = pasts[0]
    columns = zip(*(past.stretches for past in pasts), strict=True)
    known = ([part for part in column if part is not None] for column in columns)
    together = tuple(side_by_side(parts) if parts else None for parts in known)
    return Past(first.begin, first.step, first.end, together)


async def roll_up(server: Server, keys: QueueKeys, minute: int) -> None:
    """Put the samples before the quarter of an hour of this minute (ms) together that nobody has put together yet."""
    last = await server.patiently(lambda: last_quarter(server, keys))
    begin, end = 0 if last is None else last + QUARTER_MS, minute - minute % QUARTER_MS
    goes_on = begin < end
    while goes_on:
        rows, goes_on = await server.patiently(partial(read_samples, server, keys, begin, end))
        quarters = _quarters(rows)[: -1 if goes_on else None]  # the last one may go on behind the page
        if quarters:
            await server.patiently(partial(write_quarters, server, keys, quarters))
        begin = quarters[-1][0] + QUARTER_MS if quarters else end
        goes_on = goes_on and begin < end


def _quarters(rows: Sequence[tuple[int, bytes]]) -> list[tuple[int, str]]:
    """The whole of each quarter of an hour that these samples are of."""
    by_quarter = groupby(rows, lambda row: row[0] - row[0] % QUARTER_MS)
    found = ((at, stretches_in([text for _, text in some])) for at, some in by_quarter)
    return [(at, put_together(parts).encode()) for at, parts in found if parts]


def _stretches(history: History, begin: int, step: int, number: int) -> tuple[Stretch | None, ...]:
    return tuple(in_stretches([*history.quarters, *history.samples], begin, step, number))
