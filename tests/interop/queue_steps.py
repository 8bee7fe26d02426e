"""What an operator can do to a whole queue, as steps that both engines can take, and seeded sequences of them.

All jobs have ids of the test's choice, so that they are known also when their events are cut off.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.interop.operations import MINUTE, Add, AddMany, Claim, Operation, SetPaused, StalledCheck, draw
from tests.interop.timed import Pass


@dataclass(frozen=True)
class Pause:
    """The queue is paused."""


@dataclass(frozen=True)
class Resume:
    """The queue is resumed."""


@dataclass(frozen=True)
class Drain:
    """Take out what waits, with delayed jobs on request."""

    delayed: bool


@dataclass(frozen=True)
class Clean:
    """Take out jobs of a state that are so old, at most `limit`; 0 for all."""

    state: str
    milliseconds: int
    limit: int = 0


@dataclass(frozen=True)
class TrimEvents:
    """Cut the stream of events."""

    count: int


@dataclass(frozen=True)
class Obliterate:
    """Remove the queue, whoever works on it."""


Step = Operation | Pass | Pause | Resume | Drain | Clean | TrimEvents | Obliterate

STATES = ("wait", "delayed", "prioritized", "completed", "failed", "active")


def draw_queue(seed: int, length: int) -> list[Step]:
    """Draw some `length` steps of producers and workers, with those of an operator among them. What comes due is
    claimed next: see `draw`."""
    dice, numbers = random.Random(f"queue {seed}"), itertools.count(1)
    steps: list[Step] = []
    for operation in draw(seed, length, without=(StalledCheck, SetPaused)):
        steps.append(_with_ids(operation, numbers))
        if dice.random() < 0.3:
            steps += (verb := _verb(dice), *([Claim()] if isinstance(verb, Pass) else []))
    return steps


def _with_ids(operation: Operation, numbers: Iterator[int]) -> Operation:
    match operation:
        case Add(options=options):
            return replace(operation, options={"jobId": f"g{next(numbers)}", **options})
        case AddMany(jobs):
            named = [replace(job, options={"jobId": f"g{next(numbers)}", **job.options}) for job in jobs]
            return AddMany(tuple(named))
    return operation


def _verb(dice: random.Random) -> Step:
    state = dice.choice(STATES)
    limit = dice.choice((0, 0, 1, 2)) if state in ("completed", "failed") else 0
    clean = Clean(state, dice.choice((0, 0, MINUTE, 5 * MINUTE)), limit)
    verbs: list[Step] = [
        Pause(),
        Resume(),
        Drain(dice.random() < 0.5),
        clean,
        clean,
        clean,
        TrimEvents(dice.choice((0, 100, 200))),
        Pass(dice.choice((MINUTE, 4 * MINUTE))),
    ]
    return dice.choice(verbs)
