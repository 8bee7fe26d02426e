"""How each engine takes the steps about limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from corral.admin.queue import QueueAdmin
from corral.contracts.rate_limit import RateLimit
from corral.engine.limit import HELD_OFF, read_limits
from tests.interop.bullmq import NodeQueue
from tests.interop.corral_side import CorralSide
from tests.interop.limit_steps import (
    HoldOff,
    HoldStarts,
    ReadLimits,
    SetConcurrency,
    SetRate,
    Step,
    WindowCloses,
)
from tests.interop.operations import GIVEN_IDS
from tests.interop.sides import Player
from tests.interop.snapshot import Snapshot, remaining, snapshot

Limits = tuple[int | None, tuple[int, int] | None, int]
"""Concurrency, rate (how many, and in how many ms), and ms until the next start."""


class Limiter(Protocol):
    """Who bounds a queue."""

    async def set_rate(self, most: int | None, window: int) -> None: ...
    async def set_concurrency(self, most: int | None) -> None: ...
    async def hold(self, milliseconds: int) -> None: ...
    async def hold_off(self, job_id: str, token: str, milliseconds: int) -> None: ...
    async def read(self) -> Limits: ...


@dataclass
class NodeLimiter:
    """BullMQ's Queue."""

    bull: NodeQueue

    async def set_rate(self, most: int | None, window: int) -> None:
        """Queue.setGlobalRateLimit and removeGlobalRateLimit."""
        if most is None:
            await self.bull.call("removeGlobalRateLimit")
        else:
            await self.bull.call("setGlobalRateLimit", max=most, duration=window)

    async def set_concurrency(self, most: int | None) -> None:
        """Queue.setGlobalConcurrency and removeGlobalConcurrency."""
        if most is None:
            await self.bull.call("removeGlobalConcurrency")
        else:
            await self.bull.call("setGlobalConcurrency", concurrency=most)

    async def hold(self, milliseconds: int) -> None:
        """Queue.rateLimit and removeRateLimitKey."""
        if milliseconds:
            await self.bull.call("rateLimit", ms=milliseconds)
        else:
            await self.bull.call("removeRateLimitKey")

    async def hold_off(self, job_id: str, token: str, milliseconds: int) -> None:
        """Queue.rateLimit by a processor, which then throws RateLimitError."""
        await self.bull.call("rateLimit", ms=milliseconds)
        await self.bull.call("moveToWait", jobId=job_id, token=token)

    async def read(self) -> Limits:
        """Queue.getGlobalConcurrency, getGlobalRateLimit and getRateLimitTtl."""
        rate = (await self.bull.call("getLimits"))["rate"]
        read = await self.bull.call("getLimits", max=rate["max"] if rate else HELD_OFF)
        return read["concurrency"], (rate["max"], rate["duration"]) if rate else None, max(0, read["ttl"])


@dataclass
class CorralLimiter:
    """Corral's admin, and a worker."""

    admin: QueueAdmin
    side: CorralSide

    async def set_rate(self, most: int | None, window: int) -> None:
        """Set the rate limit, or none."""
        await self.admin.set_rate_limit(RateLimit(most, per=window / 1000) if most else None)

    async def set_concurrency(self, most: int | None) -> None:
        """Set the concurrency, or none."""
        await self.admin.set_concurrency(most)

    async def hold(self, milliseconds: int) -> None:
        """Hold the queue."""
        await self.admin.hold(milliseconds / 1000)

    async def hold_off(self, job_id: str, token: str, milliseconds: int) -> None:
        """Settle as rate limited."""
        await self.side.hold_off(job_id, token, milliseconds)

    async def read(self) -> Limits:
        """The limits as a worker reads them."""
        limits = await read_limits(self.side.server, self.side.keys)
        rate = (limits.rate.max, limits.rate.per_ms) if limits.rate else None
        return limits.concurrency, rate, limits.held_ms


@dataclass
class LimitedPlayer:
    """A player with limits. `leaves_out`: not to do what both do differently on purpose. `read`: what limits were
    seen."""

    player: Player
    limiter: Limiter
    leaves_out: bool = True
    read: list[Limits] = field(default_factory=list)

    async def play(self, step: Step) -> None:
        """Take a step; one about a job where there is none is left out."""
        match step:
            case SetRate(most, window):
                if not await self._holds_longer(window):
                    await self.limiter.set_rate(most, window)
            case SetConcurrency(most):
                await self.limiter.set_concurrency(most)
            case HoldStarts(milliseconds):
                if not await self._holds_longer(milliseconds):
                    await self.limiter.hold(milliseconds)
            case HoldOff(held, milliseconds):
                if self.player.held and not await self._holds_longer(milliseconds):
                    run = self.player.held.pop(held % len(self.player.held))
                    await self.limiter.hold_off(*run, milliseconds)
            case WindowCloses():
                await self.player.raw.delete(self.player.key("limiter"))
            case ReadLimits():
                concurrency, rate, left = await self.limiter.read()
                self.read.append((concurrency, rate, remaining(left) or 0))
            case _:
                await self.player.play([step])

    async def _holds_longer(self, milliseconds: int) -> bool:
        """Say whether a window or a time holds for longer: shorter ones end it in one engine, and not in the other."""
        left = await self.player.raw.pttl(self.player.key("limiter"))
        return self.leaves_out and milliseconds > 0 and remaining(left) is not None and left > milliseconds

    async def left(self) -> Snapshot:
        """What it has left behind, and the limits that were read."""
        side = self.player.side
        found = await snapshot(self.player.raw, side.prefix, side.queue, GIVEN_IDS)
        return {**found, "read": self.read}
