"""Playing steps by the test's own clock: each a millisecond after the one before, and time passes as the steps say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.interop.clock import START, Clock
from tests.interop.comparison import Difference, IntendedDifference, diff, unexplained
from tests.interop.sides import Player
from tests.interop.snapshot import Snapshot


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    milliseconds: int


@dataclass(frozen=True)
class PassUntilDue:
    """Time passes until the first delayed job is due, to the millisecond."""


class Playing(Protocol):
    """One side of a test."""

    async def play(self, step: Any) -> None:
        """Take a step."""
        ...

    async def left(self) -> Snapshot:
        """What it has left behind so far."""
        ...


async def part(
    players: Sequence[Playing],
    steps: Sequence[Any],
    intended: Sequence[IntendedDifference] = (),
    *,
    every: int = 5,
) -> tuple[str, list[Difference]]:
    """Play both sides and compare them after every few steps: the first ones after which they differ, and how.
    ("", []) for none."""
    for number, step in enumerate(steps, 1):
        for one in players:
            await one.play(step)
        if number % every and number != len(steps):
            continue
        left, right = [await one.left() for one in players]
        found = unexplained(diff(left, right), intended)
        if found:
            return "\n".join(["they part in", *map(str, steps[max(0, number - every) : number])]), found
    return "", []


async def differences(players: Sequence[Playing], steps: Sequence[Any]) -> list[Difference]:
    """Play both sides, and list all in which they differ at the end."""
    left, right = [await _outcome(one, steps) for one in players]
    return diff(left, right)


async def _outcome(one: Playing, steps: Sequence[Any]) -> Snapshot:
    for step in steps:
        await one.play(step)
    return await one.left()


@dataclass
class OwnTime:
    """The time of one side: both sides take the same steps at the same times, one after the other."""

    clock: Clock
    now: int = START

    async def begin(self, player: Player, step: Any) -> bool:
        """Move the clock to the step's time. Returns whether that was all there is to it."""
        self.now += 1
        match step:
            case Pass(milliseconds):
                self.now += milliseconds
            case PassUntilDue():
                first = await player.raw.zrange(player.key("delayed"), 0, 0, withscores=True)
                if first:
                    self.now = max(self.now, int(first[0][1]) // 4096)
        await self.clock.set(self.now)
        return isinstance(step, Pass | PassUntilDue)
