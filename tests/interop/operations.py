"""Steps that both engines can take, and seeded sequences of them.

A step names jobs by position (the second job now held, the first one delayed), never by id, so that the same
sequence means the same thing on both sides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

MINUTE = 60_000


@dataclass(frozen=True)
class Add:
    """Add one job. `options` are BullMQ's, as in wire-format §4 before shortening."""

    name: str
    data: Any
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class AddMany:
    """Add several jobs in one call."""

    jobs: tuple[Add, ...]


@dataclass(frozen=True)
class Claim:
    """Take up to `count` jobs."""

    count: int = 1


@dataclass(frozen=True)
class Complete:
    """Complete a held job, with the next claim in the same call when `and_next`."""

    held: int
    value: Any
    and_next: bool = False


@dataclass(frozen=True)
class Fail:
    """A held job's handler threw: its retry policy decides. `for_good`: unrecoverable."""

    held: int
    message: str
    for_good: bool = False
    and_next: bool = False


@dataclass(frozen=True)
class Snooze:
    """A held job's handler asks for a later run; no attempt is spent."""

    held: int
    milliseconds: int


@dataclass(frozen=True)
class Release:
    """A held job goes back to wait; no attempt is spent."""

    held: int


@dataclass(frozen=True)
class Extend:
    """Renew the lock of a held job."""

    held: int


@dataclass(frozen=True)
class Progress:
    """A held job reports progress and writes a log row."""

    held: int
    value: Any
    row: str


@dataclass(frozen=True)
class LoseLock:
    """The holder of a job dies: its lock expires."""

    held: int


@dataclass(frozen=True)
class StalledCheck:
    """The stalled check runs, one interval after the last."""


@dataclass(frozen=True)
class ComeDue:
    """Time passes until a delayed job is due."""

    delayed: int


@dataclass(frozen=True)
class WindowEnds:
    """Time passes until a deduplication window has run out."""

    deduplication: str


@dataclass(frozen=True)
class Remove:
    """Remove a job that is in `state` (a key: wait, delayed, prioritized, completed, failed)."""

    state: str
    position: int


@dataclass(frozen=True)
class SetPaused:
    """The queue is paused or resumed by somebody else."""

    paused: bool


Operation = (
    Add | AddMany | Claim | Complete | Fail | Snooze | Release | Extend | Progress
    | LoseLock | StalledCheck | ComeDue | WindowEnds | Remove | SetPaused
)  # fmt: skip

GIVEN_IDS = ("order-1", "order-2", "user:7:mail", "ä b")
DEDUPLICATIONS = ("d1", "d2")
VALUES = (None, 0, "text", {"sum": 3}, [1, 2], True, 'ü \u2028 "quoted"')


def draw(
    seed: int, length: int, *, without: tuple[type, ...] = (), priorities: bool = True
) -> list[Operation]:
    """Draw some `length` operations, less the kinds in `without`; the same seed gives the same ones, for ever.

    The first is an add, because only adding brings a queue into being. A job that comes due is followed by a
    claim, which moves it: a retry at the same moment may stand before or behind it, and both are right.
    """
    dice = _Dice(seed, priorities)
    drawn = [operation for operation in dice.draw(length) if not isinstance(operation, without)]
    return [dice.add(), *drawn]


class _Dice:
    """Draws operations from a seed."""

    def __init__(self, seed: int, priorities: bool) -> None:
        self._random = random.Random(seed)
        self._priorities = priorities
        self._paused = False
        self._numbers = 0

    def draw(self, length: int) -> list[Operation]:
        """Draw operations; adds and claims are the most frequent."""
        weighted: dict[Callable[[], Sequence[Operation]], int] = {
            lambda: [self.add()]: 30,
            lambda: [self._add_many()]: 4,
            lambda: [self._claim()]: 22,
            lambda: [self._complete()]: 14,
            lambda: [self._fail()]: 14,
            lambda: [self._snooze()]: 2,
            lambda: [Release(self._position())]: 2,
            lambda: [Extend(self._position())]: 2,
            lambda: [self._progress()]: 3,
            lambda: [LoseLock(self._position())]: 5,
            lambda: [StalledCheck()]: 6,
            lambda: [ComeDue(self._position()), self._claim()]: 8,
            lambda: [self._window_ends()]: 2,
            lambda: [self._remove()]: 4,
            lambda: [self._set_paused()]: 2,
        }
        makers = self._random.choices(list(weighted), list(weighted.values()), k=length)
        return [operation for make in makers for operation in make()]

    def _position(self) -> int:
        return self._random.randrange(8)

    def add(self) -> Add:
        """Draw one add."""
        self._numbers += 1
        options = {"attempts": self._random.choice((1, 1, 2, 3)), **self._form(), **self._policies()}
        return Add(f"task-{self._random.randrange(3)}", {"n": self._numbers, "value": self._value()}, options)

    def _form(self) -> dict[str, Any]:
        forms: list[dict[str, Any]] = [
            {},
            {},
            {"lifo": True},
            {"delay": self._random.choice((10, 20, 30)) * MINUTE},
            {"priority": self._random.choice((1, 2, 2, 2_097_151))},
            {"delay": 40 * MINUTE, "priority": 3},
            {"jobId": self._random.choice(GIVEN_IDS)},
            {"deduplication": self._deduplication()},
            {
                "deduplication": {"id": "deb", "ttl": 30 * MINUTE, "extend": True, "replace": True},
                "delay": 15 * MINUTE,
            },
        ]
        return self._random.choice([form for form in forms if self._priorities or "priority" not in form])

    def _deduplication(self) -> dict[str, Any]:
        modes: list[dict[str, Any]] = [
            {},
            {"ttl": 30 * MINUTE},
            {"ttl": 30 * MINUTE, "extend": True},
            {"replace": True},
            {"keepLastIfActive": True},
            {"keepLastIfActive": True, "ttl": 30 * MINUTE},
        ]
        return {"id": self._random.choice(DEDUPLICATIONS), **self._random.choice(modes)}

    def _policies(self) -> dict[str, Any]:
        policies: dict[str, Any] = {}
        if self._random.random() < 0.5:
            kind = self._random.choice(("fixed", "exponential"))
            policies["backoff"] = {"type": kind, "delay": self._random.choice((1, 2)) * MINUTE}
        keeps: tuple[Any, ...] = (True, 1, 2, {"age": 3600}, {"age": 3600, "count": 1})
        for option in ("removeOnComplete", "removeOnFail"):
            policies[option] = self._random.choice(keeps) if self._random.random() < 0.3 else False
        return policies

    def _value(self) -> Any:
        return self._random.choice(VALUES)

    def _add_many(self) -> AddMany:
        return AddMany(tuple(self.add() for _ in range(self._random.randint(2, 5))))

    def _claim(self) -> Claim:
        return Claim(self._random.randint(1, 3))

    def _complete(self) -> Complete:
        return Complete(self._position(), self._value(), self._random.random() < 0.5)

    def _fail(self) -> Fail:
        for_good, and_next = self._random.random() < 0.2, self._random.random() < 0.5
        return Fail(self._position(), f"reason {self._position()}", for_good, and_next)

    def _snooze(self) -> Snooze:
        return Snooze(self._position(), 25 * MINUTE)

    def _progress(self) -> Progress:
        return Progress(self._position(), self._random.choice((50, {"done": 1})), "a row")

    def _window_ends(self) -> WindowEnds:
        return WindowEnds(self._random.choice((*DEDUPLICATIONS, "deb")))

    def _remove(self) -> Remove:
        state = self._random.choice(("wait", "delayed", "prioritized", "completed", "failed"))
        return Remove(state, self._position())

    def _set_paused(self) -> SetPaused:
        self._paused = not self._paused
        return SetPaused(self._paused)
