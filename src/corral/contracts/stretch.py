"""What some minutes in a row brought to a queue, or to several."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from corral.contracts.states import JobState

__all__ = [
    "MINUTE_MS",
    "QUARTER_MS",
    "Stretch",
    "in_stretches",
    "put_together",
    "side_by_side",
    "stretches_in",
]

MINUTE_MS = 60_000
QUARTER_MS = 15 * MINUTE_MS

_STATES = tuple(state for state in JobState if state is not JobState.UNKNOWN)
_NONE = (0,) * len(_STATES)
_MOST = 2**53


class Stretch(NamedTuple):
    """Samples put together. The fields are those of a sample, in its order; times in milliseconds, None where no job
    tells. Putting stretches together gives the same as putting their samples together, but for rounding.
    """

    counts: Sequence[int]
    """The most jobs that were in each state, in the order of `JobState`."""
    completed: int
    failed: int
    measured: int
    wait_p50: int | None
    """The mean of the minutes' medians, by how many jobs ended in each."""
    wait_p95: int | None
    """That of the worst minute."""
    run_p50: int | None
    run_p95: int | None
    oldest_waiting: int | None
    """The longest that the job next in line had been due."""
    minutes: int = 1
    """How many samples there are of it."""

    @property
    def ended(self) -> int:
        """How many jobs ended."""
        return self.completed + self.failed

    def count(self, *states: JobState) -> int:
        """The most jobs that were in these states, each for itself."""
        return sum(self.counts[_STATES.index(state)] for state in states)

    def encode(self) -> str:
        """As it is kept."""
        return json.dumps(self, separators=(",", ":"))


def stretches_in(texts: Sequence[bytes]) -> list[Stretch]:
    """Samples and stretches, from the texts that are kept. What is none is left out."""
    try:
        read = map(_read, json.loads(b"[" + b",".join(texts) + b"]"))
        return [stretch for stretch in read if stretch is not None]
    except (ValueError, RecursionError):
        return [one for text in texts for one in stretches_in([text])] if len(texts) > 1 else []


def _read(fields: Any) -> Stretch | None:
    """A stretch from its JSON; None where it is none. Of states that its writer did not know it has no jobs."""
    if not isinstance(fields, list) or not 9 <= len(fields) <= 10 or not isinstance(fields[0], list):
        return None
    counts, numbers, times, minutes = fields[0], fields[1:4], fields[4:9], fields[9:]
    known = [*counts, *numbers, *minutes, *(time for time in times if time is not None)]
    if not all(type(one) is int and 0 <= one <= _MOST for one in known) or minutes == [0]:
        return None
    return Stretch((*counts, *_NONE)[: len(_STATES)], *fields[1:])


def put_together(parts: Sequence[Stretch]) -> Stretch:
    """Stretches, at least one, that follow each other as one."""
    if len(parts) == 1:
        return parts[0]
    columns: list[Any] = list(zip(*parts, strict=True))
    weights = [completed + failed for completed, failed in zip(columns[1], columns[2], strict=True)]
    return Stretch(
        tuple(map(max, zip(*columns[0], strict=True))),
        sum(columns[1]), sum(columns[2]), sum(columns[3]),
        _mean(columns[4], weights), _most(columns[5]), _mean(columns[6], weights), _most(columns[7]),
        _most(columns[8]), sum(columns[9]),
    )  # fmt: skip


def side_by_side(parts: Sequence[Stretch]) -> Stretch:
    """Stretches of several queues, at least one, of the same time, as one of all: what is in them is added up."""
    one = put_together(parts)
    counts = tuple(map(sum, zip(*(part.counts for part in parts), strict=True)))
    return one._replace(counts=counts, minutes=max(part.minutes for part in parts))


def in_stretches(
    rows: Iterable[tuple[int, bytes]], begin: int, step: int, number: int
) -> list[Stretch | None]:
    """So many stretches of `step` from `begin` (ms) on, from the texts of parts with their beginnings; None where there
    is none. The parts of one are read at a time: thousands at once would have the collector look through all memory."""
    texts: list[list[bytes]] = [[] for _ in range(number)]
    for at, text in rows:
        if 0 <= (place := (at - begin) // step) < number:
            texts[place].append(text)
    return [put_together(parts) if (parts := stretches_in(some)) else None for some in texts]


def _most(values: Sequence[int | None]) -> int | None:
    if None not in values:
        return max(values)  # type: ignore[type-var]
    return max((value for value in values if value is not None), default=None)


def _mean(values: Sequence[int | None], weights: Sequence[int]) -> int | None:
    """Of what is known, by weight."""
    total = weight_of_all = 0
    for value, weight in zip(values, weights, strict=True):
        if value is not None:
            total += value * (weight or 1)
            weight_of_all += weight or 1
    return round(total / weight_of_all) if weight_of_all else None
