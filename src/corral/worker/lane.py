"""A lane: exchanges settlements for jobs, one call at a time, over a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from corral.contracts.rate_limit import RateLimit
from corral.engine.claim import Claim, claim_jobs
from corral.engine.faults import ResponseError, Unanswered
from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.record import Claimed, Refusal
from corral.engine.resend import until_answered
from corral.engine.settle import commit_jobs
from corral.worker.queue_runner import Ended, Exchange, QueueRunner
from corral.worker.trouble import PAUSE_AFTER_DAMAGE, log_damage

__all__ = ["Lane"]


class Lane:
    """One line of numbered calls.

    Each call carries the lane's name and a number, so that it may be sent again until it is answered, through any
    outage: the server recognises it, settles nothing twice and gives the same jobs.
    """

    def __init__(
        self,
        runner: QueueRunner,
        link: Link,
        keys: QueueKeys,
        *,
        name: str,
        worker: str,
        lock_ms: int,
        limiter: RateLimit | None,
        singletons: str,
        max_stalled: int,
        metric_points: int,
        on_settled: Callable[[Ended, int], None],
        on_recurring: Callable[[list[bytes]], None],
        on_trouble: Callable[[Unanswered, float], None],
        on_answer: Callable[[], None],
    ) -> None:
        self._runner = runner
        self._link = link
        self._keys = keys
        self._name = name
        self._worker = worker
        self._lock_ms = lock_ms
        self._rate: tuple[Word, Word] = (limiter.max, limiter.per_ms) if limiter else ("", "")
        self._singletons = singletons
        self._max_stalled = max_stalled
        self._metric_points = metric_points
        self._on_settled = on_settled
        self._on_recurring = on_recurring
        self._on_trouble = on_trouble
        self._on_answer = on_answer
        self._number = 0

    async def serve(self) -> None:
        """Exchange until the runner is closed and everything is settled."""
        loop = asyncio.get_running_loop()
        try:
            while (exchange := await self._runner.next_exchange()) is not None:
                try:
                    await self._carry_out(exchange, loop)
                except ResponseError as error:
                    await self._after_error(exchange, error)
                except BaseException:
                    self._runner.unanswered(exchange)
                    raise
        finally:
            await self._link.close()

    async def _carry_out(self, exchange: Exchange, loop: asyncio.AbstractEventLoop) -> None:
        self._number += 1
        token = f"{self._name}:{self._number}"
        claim = Claim(
            exchange.wanted, token, self._lock_ms, self._worker, self._name, self._number, *self._rate,
            self._singletons, self._max_stalled,
        )  # fmt: skip

        async def call() -> tuple[int, int, int, list[int], list[Claimed], list[bytes]]:
            if exchange.ended:
                settlements = [settlement for _, settlement in exchange.ended]
                return await commit_jobs(
                    self._link, self._keys, settlements, claim, metric_points=self._metric_points
                )
            now, limited_ms, next_due, jobs, unprepared = await claim_jobs(self._link, self._keys, claim)
            return now, limited_ms, next_due, [], jobs, unprepared

        now, limited_ms, next_due, codes, jobs, unprepared = await until_answered(
            call, within=None, on_trouble=self._on_trouble
        )
        self._on_answer()
        self._runner.last_answer = loop.time()
        self._runner.server_ahead_ms = now - loop.time() * 1000
        self._runner.receive(exchange, token, jobs, next_due, limited_ms, now)
        for ended, code in zip(exchange.ended, codes, strict=True):
            self._on_settled(ended, code)
        if unprepared:
            self._on_recurring(unprepared)

    async def _after_error(self, exchange: Exchange, error: Exception) -> None:
        """A script failed, which is not the server's state but the queue's: a key of it is not what it should be.

        Nothing is lost: the settlements go again, one by one, so that a job that cannot be settled holds up no other.
        """
        log_damage(self._keys.queue, error)
        if len(exchange.ended) == 1:
            self._runner.receive(exchange, "", [], 0, 0)
            self._on_settled(exchange.ended[0], Refusal.NO_JOB)
        else:
            self._runner.unanswered(exchange, singly=bool(exchange.ended))
        await asyncio.sleep(PAUSE_AFTER_DAMAGE)
