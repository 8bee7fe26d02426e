"""What can be done with schedules, as steps that both engines can take, and seeded sequences of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.interop.clock import START
from tests.interop.controls import Control
from tests.interop.intended import KEPT
from tests.interop.operations import MINUTE, Add, Claim, Complete, Fail, Operation, Release, SetPaused, Snooze
from tests.interop.queue_steps import Clean, Drain
from tests.interop.timed import Pass, PassUntilDue

HOUR = 60 * MINUTE


@dataclass(frozen=True)
class Upsert:
    """Make a schedule or change it. `rule` and `options` are BullMQ's."""

    schedule: str
    rule: dict[str, Any]
    name: str = "tick"
    data: Any = None
    options: dict[str, Any] = field(default_factory=lambda: KEPT)


@dataclass(frozen=True)
class RemoveSchedule:
    """Remove a schedule."""

    schedule: str


Step = Operation | Control | Upsert | RemoveSchedule | Drain | Clean | Pass | PassUntilDue

SCHEDULES = ("a", "b", "of:two parts")
INTERVALS: tuple[dict[str, Any], ...] = (
    {"every": 7 * MINUTE},
    {"every": 40 * MINUTE, "limit": 2},
    {"every": 10 * MINUTE, "offset": 3 * MINUTE},
    {"every": HOUR, "offset": 7 * MINUTE},
    {"every": 2 * HOUR, "offset": 1, "limit": 3},
    {"every": 90 * MINUTE, "endDate": START + 1000 * HOUR},
    {"every": 20 * MINUTE, "startDate": START + 2 * HOUR},
    {"every": 30 * MINUTE, "startDate": START - 2 * HOUR},
)
"""Each has an interval of its own: over the same one BullMQ takes no notice of another offset or start."""

PATTERNS: tuple[dict[str, Any], ...] = (
    {"pattern": "*/15 * * * *", "tz": "UTC"},
    {"pattern": "*/20 30 * * * *", "tz": "UTC"},
    {"pattern": "0 30 2 * * *", "tz": "Europe/Rome"},
    {"pattern": "0 9 * * 1-5", "tz": "America/New_York"},
    {"pattern": "0 * * * *", "tz": "UTC", "limit": 3},
    {"pattern": "*/25 * * * *", "tz": "UTC", "immediately": True},
    {"pattern": "*/10 * * * *", "tz": "UTC", "startDate": START + HOUR},
    {"pattern": "*/12 * * * *", "tz": "UTC", "endDate": START + 5 * HOUR},
)


def draw_schedules(seed: int, length: int) -> list[Step]:
    """Draw some `length` steps; the same seed gives the same ones, for ever. What comes due is claimed next: see
    `draw`."""
    dice = _Dice(seed)
    return [dice.upsert(), *dice.draw(length)]


class _Dice:
    """Draws steps from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"schedules {seed}")
        self._paused = False
        self._numbers = 0

    def draw(self, length: int) -> list[Step]:
        """Draw steps; the passing of time and claims are the most frequent."""
        weighted: dict[Callable[[], Sequence[Step]], int] = {
            lambda: [self.upsert()]: 16,
            lambda: [RemoveSchedule(self._random.choice(SCHEDULES))]: 4,
            lambda: [self._pass(), self._claim()]: 12,
            lambda: [PassUntilDue(), self._claim()]: 22,
            lambda: [self._claim()]: 16,
            lambda: [self._complete()]: 20,
            lambda: [self._fail()]: 12,
            lambda: [Snooze(self._position(), 25 * MINUTE)]: 2,
            lambda: [Release(self._position())]: 2,
            lambda: [self._control()]: 6,
            lambda: [self._add()]: 5,
            lambda: [Drain(self._random.random() < 0.5)]: 2,
            lambda: [self._clean()]: 3,
            lambda: [self._set_paused()]: 3,
        }
        makers = self._random.choices(list(weighted), list(weighted.values()), k=length)
        return [step for make in makers for step in make()]

    def upsert(self) -> Upsert:
        """Draw a schedule, new or over one that is there."""
        self._numbers += 1
        rule = self._random.choice(self._random.choice((INTERVALS, PATTERNS)))
        options = {**KEPT, **self._random.choice(({}, {}, self._retried(), {"priority": 3}, {"lifo": True}))}
        data = self._random.choice((None, {"n": self._numbers}, [self._numbers, "ü"]))
        return Upsert(
            self._random.choice(SCHEDULES), rule, f"tick-{self._random.randrange(2)}", data, options
        )

    def _retried(self) -> dict[str, Any]:
        backoff = {"type": self._random.choice(("fixed", "exponential")), "delay": 2 * MINUTE}
        return {"attempts": 3, **self._random.choice(({}, {"backoff": backoff}))}

    def _position(self) -> int:
        return self._random.randrange(8)

    def _pass(self) -> Pass:
        return Pass(self._random.choice((1, MINUTE, 4 * MINUTE, 17 * MINUTE, 95 * MINUTE, 13 * HOUR)))

    def _claim(self) -> Claim:
        return Claim(self._random.randint(1, 3))

    def _complete(self) -> Complete:
        return Complete(self._position(), self._position(), self._random.random() < 0.5)

    def _fail(self) -> Fail:
        return Fail(self._position(), "no", self._random.random() < 0.2, self._random.random() < 0.5)

    def _clean(self) -> Clean:
        return Clean(
            self._random.choice(("delayed", "wait", "completed", "failed")), self._random.choice((0, MINUTE))
        )

    def _control(self) -> Control:
        verbs = (("retry", "failed"), ("retry", "completed"), ("promote", "delayed"))
        return Control(*self._random.choice(verbs), self._position())

    def _add(self) -> Add:
        form = self._random.choice(({}, {"delay": 20 * MINUTE}, {"priority": 2}))
        return Add("plain", {}, {**KEPT, **form})

    def _set_paused(self) -> SetPaused:
        self._paused = not self._paused
        return SetPaused(self._paused)
