"""Playing steps by the test's own clock: each a millisecond after the one before, and time passes as the steps say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.interop.clock import START, Clock
from tests.interop.sides import Player


@dataclass(frozen=True)
class Pass:
    """Time passes."""

    milliseconds: int


@dataclass(frozen=True)
class PassUntilDue:
    """Time passes until the first delayed job is due, to the millisecond."""


@dataclass
class OwnTime:
    """The time of one side: both sides take the same steps at the same times, one after the other."""

    clock: Clock
    now: int = START

    async def begin(self, player: Player, step: Any) -> None:
        """Move the clock to the step's time."""
        self.now += 1
        match step:
            case Pass(milliseconds):
                self.now += milliseconds
            case PassUntilDue():
                first = await player.raw.zrange(player.key("delayed"), 0, 0, withscores=True)
                if first:
                    self.now = max(self.now, int(first[0][1]) // 4096)
        await self.clock.set(self.now)
