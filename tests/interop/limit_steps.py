"""What can be done about limits, as steps that both engines can take, and seeded sequences of them."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.interop.operations import LoseLock, Operation, StalledCheck, draw

SECOND = 1000
WINDOWS = (60 * SECOND, 120 * SECOND)
TIMES = (45 * SECOND, 90 * SECOND)
"""Times are told apart by quarters of a minute: see `snapshot`."""


@dataclass(frozen=True)
class SetRate:
    """Bound the starts of the queue in a window; None for no bound."""

    most: int | None
    window: int = WINDOWS[0]


@dataclass(frozen=True)
class SetConcurrency:
    """Bound how many jobs of the queue run at once; None for no bound."""

    most: int | None


@dataclass(frozen=True)
class HoldStarts:
    """Let nothing start for a time; 0 ends such a time."""

    milliseconds: int


@dataclass(frozen=True)
class HoldOff:
    """The handler of a held job was told to hold off: its job goes back, and nothing starts for a time."""

    held: int
    milliseconds: int


@dataclass(frozen=True)
class WindowCloses:
    """Time passes until the window, or a time in which nothing starts, has run out."""


@dataclass(frozen=True)
class ReadLimits:
    """Look at the limits, and at how long they hold."""


Step = Operation | SetRate | SetConcurrency | HoldStarts | HoldOff | WindowCloses | ReadLimits


def draw_limits(seed: int, length: int, *, holding: bool) -> list[Step]:
    """Draw some `length` steps of producers and workers, with those about limits among them. `holding`: also times in
    which nothing starts, for workers that have a limit of their own; without one, BullMQ's take no notice."""
    dice = random.Random(f"limits {seed}")
    steps: list[Step] = []
    for operation in draw(seed, length, without=(LoseLock, StalledCheck), priorities=False):
        steps.append(operation)
        if dice.random() < 0.3:
            steps.append(_limit(dice, holding))
    return steps


def _limit(dice: random.Random, holding: bool) -> Step:
    steps: list[Step] = [
        SetRate(dice.choice((1, 2, 5)), dice.choice(WINDOWS)),
        SetRate(None),
        SetConcurrency(dice.choice((1, 2, 4))),
        SetConcurrency(None),
        WindowCloses(),
        WindowCloses(),
        ReadLimits(),
    ]
    if holding:
        steps += [HoldStarts(dice.choice((0, *TIMES))), HoldOff(dice.randrange(8), dice.choice(TIMES))]
    return dice.choice(steps)
