"""Adding jobs to one queue: calls made at the same time share round trips."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from corral.client.ids import new_job_id
from corral.client.lane import Lane
from corral.contracts.deduplication import Deduplication
from corral.contracts.options import Durability
from corral.contracts.producer import EnqueueRequest
from corral.engine.durability import confirm
from corral.engine.enqueue import MAX_JOBS_PER_CALL, Added, add_jobs
from corral.engine.record import NewJob
from corral.engine.resend import until_answered
from corral.engine.server import PATIENCE, Server
from corral.errors import ServerUnavailable

__all__ = ["Enqueuer", "deduplication_words", "new_job"]

LANES: Final = 2

LEAST_SHARED: Final = 32
"""Fewer callers than this in line all go in one call: splitting them costs more than it overlaps."""


class _Order:
    """Some jobs of one caller that wait for their place in a call."""

    __slots__ = ("answers", "deadline", "done", "durability", "jobs")

    durability: Durability | None

    def __init__(
        self,
        jobs: list[NewJob],
        durability: Durability | None,
        deadline: float,
        done: asyncio.Future[None],
    ) -> None:
        self.jobs = jobs
        self.durability = durability
        self.deadline = deadline
        self.done = done
        self.answers: list[Added] = []


class Enqueuer:
    """The producer's side of one queue.

    While fewer than two calls are under way a caller makes its own, so that a lone `enqueue` costs one round trip
    and no task. Further callers leave their jobs in line; whoever comes back takes its share of them, half of all
    that wait or are under way, so that both lanes stay equally full. Each call is numbered, so that it may be sent
    again until it is answered and adds nothing twice.
    """

    def __init__(self, server: Server, queue: str) -> None:
        self._server = server
        self.keys = server.keys(queue)
        self._timeout = server.settings.timeout
        self._idle: list[Lane] = []
        self._lanes = 0
        self._orders: list[_Order] = []
        self._under_way = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._came_back: asyncio.Future[None] | None = None

    async def add(self, jobs: list[NewJob], durability: Durability | None = None) -> list[Added]:
        """Add jobs in their order, at most `MAX_JOBS_PER_CALL`; one entry a job, as `corral.engine.enqueue.add_jobs`
        gives it.

        Raises:
            ServerUnavailable: no answer within the client's timeout. The jobs may have been added all the same:
                with a `job_id` of their own they can be enqueued again without harm.
            QueueFull: the server has reached maxmemory; nothing was added.
            DurabilityUnavailable: the durability asked for cannot be given.
        """
        if not self._orders and (lane := await self._free_lane()) is not None:
            lane.number += 1
            try:
                return await self._call(lane, jobs, durability, self._timeout)
            finally:
                self._give_back(lane)
        loop = asyncio.get_running_loop()
        order = _Order(jobs, durability, loop.time() + self._timeout, loop.create_future())
        self._orders.append(order)
        await order.done
        return order.answers

    async def add_many(
        self, jobs: Iterator[NewJob], durability: Durability | None = None
    ) -> AsyncIterator[list[Added]]:
        """Add any number of jobs in their order, some hundred in a call; gives the answers call by call.

        While the server works on one call, the caller takes in the answers to the one before, and the jobs of the
        next one are made. Errors as `add`; the calls before the one that failed stay carried out.
        """
        chunk = list(islice(jobs, MAX_JOBS_PER_CALL))
        answers_before: list[Added] = []
        while chunk:
            call = asyncio.ensure_future(self.add(chunk, durability))
            try:
                # One step hands the call to the loop, the next one lets the loop send it.
                await asyncio.sleep(0)
                await asyncio.sleep(0)
                yield answers_before
                chunk = list(islice(jobs, MAX_JOBS_PER_CALL))
                answers_before = await call
            except BaseException:
                call.cancel()
                raise
        yield answers_before

    async def _free_lane(self) -> Lane | None:
        if self._idle:
            return self._idle.pop()
        if self._lanes >= LANES:
            return None
        self._lanes += 1
        try:
            link = await self._server.link(self.keys)
        except BaseException:
            self._lanes -= 1
            raise
        return Lane(link)

    def _lay_down(self, lane: Lane) -> None:
        self._idle.append(lane)
        if self._came_back is not None and not self._came_back.done():
            self._came_back.set_result(None)

    def _give_back(self, lane: Lane) -> None:
        if not self._orders:
            self._lay_down(lane)
            return
        task = asyncio.get_running_loop().create_task(self._work_off(lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work_off(self, lane: Lane) -> None:
        """Make calls for those in line until nobody is."""
        try:
            while orders := self._next_orders():
                lane.number += 1
                self._under_way += len(orders)
                try:
                    await self._fill(lane, orders)
                except BaseException as error:  # noqa: BLE001 - it is the callers' error, and reaches each of them
                    _fail(orders, error)
                finally:
                    self._under_way -= len(orders)
                # Who has just been answered often has more to add: one step of the loop lets them line up.
                await asyncio.sleep(0)
        finally:
            self._lay_down(lane)

    async def _fill(self, lane: Lane, orders: list[_Order]) -> None:
        """Make one call for several callers. While there is no answer, each gives up at its own time, and the call
        goes on, under its number, for those that have some left."""
        jobs = [job for order in orders for job in order.jobs]
        loop = asyncio.get_running_loop()
        answers: list[Added] | None = None
        while answers is None:
            left = [order.deadline for order in orders if not order.done.done()]
            if not left:
                return
            try:
                answers = await self._call(lane, jobs, orders[0].durability, min(left) - loop.time())
            except ServerUnavailable as error:
                _fail([order for order in orders if order.deadline <= loop.time() + 0.01], error)
        first = 0
        for order in orders:
            order.answers = answers[first : first + len(order.jobs)]
            first += len(order.jobs)
            if not order.done.done():
                order.done.set_result(None)

    def _next_orders(self) -> list[_Order]:
        taken, size = 0, 0
        # Whoever was cancelled while in line has nothing done.
        self._orders = [order for order in self._orders if not order.done.done()]
        share = max(LEAST_SHARED, -(-(len(self._orders) + self._under_way) // LANES))
        for order in self._orders[:share]:
            size += len(order.jobs)
            if taken and (size > MAX_JOBS_PER_CALL or order.durability != self._orders[0].durability):
                break
            taken += 1
        orders, self._orders = self._orders[:taken], self._orders[taken:]
        return orders

    async def _call(
        self, lane: Lane, jobs: list[NewJob], durability: Durability | None, within: float
    ) -> list[Added]:
        """Make the lane's current call, again and again for `within` seconds."""
        number, patience = lane.number, min(self._timeout * PATIENCE, within)

        async def attempt() -> list[Added]:
            await lane.check(durability)
            return await add_jobs(
                lane.link, self.keys, jobs, sender=lane.name, number=number, timeout=patience
            )

        try:
            answers = await until_answered(attempt, within=within, server=lane.link.server)
        except ServerUnavailable as error:
            raise ServerUnavailable(error.server, self._timeout, error.cause) from error
        if durability is None:
            return answers
        return await self._confirmed(lane, durability, answers, attempt)

    async def _confirmed(
        self,
        lane: Lane,
        durability: Durability,
        answers: list[Added],
        add: Callable[[], Awaitable[list[Added]]],
    ) -> list[Added]:
        """Wait until a call is as safe as was asked. When the server crashes before it is, it has perhaps lost the
        call, and gets it again."""
        record = self.keys.key("sent") + lane.name
        known: list[list[Added]] = [answers]

        async def attempt() -> list[Added]:
            found = known.pop() if known else await add()
            await confirm(lane.link, durability, record)
            return found

        return await until_answered(attempt, within=self._timeout + 1, server=lane.link.server)

    async def close(self) -> None:
        """Let calls under way end, and close the connections."""
        while len(self._idle) < self._lanes:
            self._came_back = asyncio.get_running_loop().create_future()
            await self._came_back
        idle, self._idle, self._lanes = self._idle, [], 0
        for lane in idle:
            await lane.link.close()


def _fail(orders: list[_Order], error: BaseException) -> None:
    for order in orders:
        if not order.done.done():
            if isinstance(error, asyncio.CancelledError):
                order.done.cancel()
            else:
                order.done.set_exception(error)


def new_job(request: EnqueueRequest[Any]) -> NewJob:
    """The words of one job to add."""
    _, name, data, opts, job_id, delay_ms, due_ms, priority, lifo, deduplication, _, _ = request
    return NewJob(
        job_id or new_job_id(),
        ("c" if job_id else "") + ("l" if lifo else ""),
        name,
        data,
        opts,
        delay_ms,
        "" if due_ms is None else due_ms,
        priority,
        deduplication_words(deduplication),
    )


@lru_cache(maxsize=256)
def deduplication_words(rule: Deduplication | None) -> str:
    """The rule as the scripts take it, empty for none."""
    if rule is None:
        return ""
    words: dict[str, object] = {"id": rule.id, "ttl": rule.ttl_ms or 0}
    words |= {"extend": rule.extend, "replace": rule.replace, "keep": rule.keep_last_if_active}
    words |= {"supersedes": rule.supersedes}
    return json.dumps(words)
