"""The sleeper: waits for a wake-up token while the queue has nothing to run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

from corral.engine.faults import ResponseError, Unanswered
from corral.engine.keys import QueueKeys
from corral.engine.link import Link
from corral.errors import QueueFull
from corral.worker.limit_watch import LimitWatch
from corral.worker.queue_runner import QueueRunner
from corral.worker.trouble import PAUSE_AFTER_DAMAGE, log_damage

__all__ = ["Sleeper"]

DRAIN_DELAY: Final = 5.0
"""Seconds. Some put-backs leave no token (wire format §9), so that every wait ends in a claim."""

MAX_WAIT: Final = 10.0
MAX_LIMITED_WAIT: Final = 30.0
SHORTEST_WAIT: Final = 0.002


class Sleeper:
    """Blocks on the queue's marker (`BZPOPMIN`) whenever slots are free and nothing was left to claim.

    The wait has a bound of its own, below the deadline of its connection; when either is over, when a token comes,
    or when the connection breaks, the next thing is a claim. A worker can thus sleep too long, but never for good.

    Under a rate limit no token is waited for, since nothing may start: only the limit's end, or a change of it.

    An idle server looks at the end of blocking waits ten times a second only, so when a job is due is told by a timer
    of our own, while the wait goes on.
    """

    def __init__(
        self,
        runner: QueueRunner,
        link: Link,
        keys: QueueKeys,
        *,
        limits: LimitWatch,
        on_trouble: Callable[[Unanswered, float], None],
    ) -> None:
        self._runner = runner
        self._link = link
        self._keys = keys
        self._limits = limits
        self._on_trouble = on_trouble

    async def serve(self) -> None:
        """Sleep and wake until cancelled."""
        loop, pause = asyncio.get_running_loop(), 0.05
        try:
            while True:
                await self._runner.until_idle()
                limited = self._runner.resume_at - loop.time()
                try:
                    if limited > 0 and await self._limit_is_over(limited):
                        continue  # the runner has asked by itself
                    if limited <= 0:
                        await self._sleep()
                    pause = 0.05
                except Unanswered as error:
                    self._on_trouble(error, pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 2.0)
                except ResponseError as error:
                    log_damage(self._keys.queue, error)
                    await asyncio.sleep(PAUSE_AFTER_DAMAGE)
                self._runner.wake()
        finally:
            await self._limits.close()
            await self._link.close()

    async def _limit_is_over(self, seconds: float) -> bool:
        """Wait for the end of a rate limit. False when it is worth asking before: somebody has changed the limit, or
        delayed jobs should be promoted."""
        loop, runner = asyncio.get_running_loop(), self._runner
        runner.limit_news.clear()
        wait = min(seconds + SHORTEST_WAIT, MAX_LIMITED_WAIT)
        changed = await self._limits.wait(wait, runner.asked_at_ms, runner.limit_news)
        return not changed and loop.time() >= runner.resume_at

    async def _sleep(self) -> None:
        loop = asyncio.get_running_loop()
        next_due = self._runner.next_due
        until = loop.time() + self._wait_for(next_due, loop.time())
        alarm = loop.call_at(until, self._runner.wake) if next_due else None
        try:
            while (left := until - loop.time()) > 0:
                popped = await self._pop(max(left, SHORTEST_WAIT))
                if popped is None:
                    return
                due = int(float(popped[2]))
                in_seconds = (due - self._server_now(loop.time())) / 1000
                if not self._runner.has_room:
                    # Jobs came with a settlement meanwhile: this token is for another worker.
                    # On a full server it is lost, and that worker looks again at the end of its wait.
                    with contextlib.suppress(QueueFull):
                        await self._link.call("ZADD", self._keys.key("marker"), popped[2], popped[1])
                    return
                if due == 0 or in_seconds <= 0:
                    return
                # The token is gone from the marker: whoever is woken before has to know still.
                self._runner.expect(due)
                until = min(until, loop.time() + in_seconds)
                if alarm is not None:
                    alarm.cancel()
                alarm = loop.call_at(until, self._runner.wake)
        finally:
            if alarm is not None:
                alarm.cancel()

    async def _pop(self, seconds: float) -> list[bytes] | None:
        popped: list[bytes] | None = await self._link.call(
            "BZPOPMIN", self._keys.key("marker"), f"{seconds:.3f}", timeout=seconds + self._link.timeout
        )
        return popped

    def _wait_for(self, next_due: int, now: float) -> float:
        if not next_due:
            return DRAIN_DELAY
        return min(max((next_due - self._server_now(now)) / 1000, SHORTEST_WAIT), MAX_WAIT)

    def _server_now(self, now: float) -> float:
        return now * 1000 + self._runner.server_ahead_ms
