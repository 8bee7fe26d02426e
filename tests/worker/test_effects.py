"""Effects that happen once, over all runs of a queue."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import redis.asyncio

from corral import (
    BlockingContext,
    Client,
    Context,
    EffectUnderWay,
    InThread,
    InvalidOption,
    JobFailed,
    Queue,
    StaleRun,
    Unrecoverable,
    Worker,
)
from corral.client.queue import QueueClient


@dataclass
class Receipt:
    """What a payment gives."""

    number: int


class Bank:
    """Charges, and counts how often."""

    def __init__(self) -> None:
        self.charges = 0

    async def charge(self) -> Receipt:
        """Charge once more."""
        self.charges += 1
        return Receipt(self.charges)

    async def refuse(self) -> Receipt:
        """Charge, and fail."""
        self.charges += 1
        raise ConnectionError("no answer")


async def test_the_next_attempt_gets_the_result(client: Client, queue: QueueClient) -> None:
    """A run that fails behind the effect does not repeat it: its type is what the effect declares, in every run."""
    tasks, bank, seen = Queue(queue.name, backoff=0), Bank(), []

    @tasks.task
    async def pay(order: int, ctx: Context) -> int:
        receipt = await ctx.once(f"charge:{order}", bank.charge)
        seen.append(receipt)
        if len(seen) == 1:
            raise ValueError("behind the effect")
        return receipt.number

    async with Worker(tasks, client=client):
        assert await (await pay.enqueue(client, 7)).result(timeout=10) == 1
        assert await (await pay.enqueue(client, 7)).result(timeout=10) == 1
        assert await (await pay.enqueue(client, 8)).result(timeout=10) == 2
    assert seen == [Receipt(1), Receipt(1), Receipt(1), Receipt(2)]


async def test_an_effect_that_fails_has_not_happened(client: Client, queue: QueueClient) -> None:
    """The next attempt tries again, and so may any other job at once."""
    tasks, bank = Queue(queue.name, backoff=0, attempts=2), Bank()

    @tasks.task
    async def pay(_order: int, ctx: Context) -> None:
        await ctx.once("charge", bank.refuse)

    async with Worker(tasks, client=client):
        with pytest.raises(JobFailed, match="no answer"):
            await (await pay.enqueue(client, 7)).result(timeout=10)
    assert bank.charges == 2


async def test_while_another_run_is_inside(client: Client, queue: QueueClient) -> None:
    """A job that comes meanwhile runs again later, no attempt spent, and is given the result."""
    tasks, bank, inside, go_on = Queue(queue.name, attempts=1), Bank(), asyncio.Event(), asyncio.Event()
    refusals: list[tuple[str, str]] = []

    async def slow() -> Receipt:
        inside.set()
        await go_on.wait()
        return await bank.charge()

    @tasks.task
    async def pay(order: int, ctx: Context) -> int:
        try:
            return (await ctx.once("charge", slow)).number
        except EffectUnderWay as signal:
            refusals.append((signal.key, signal.job_id))
            go_on.set()
            raise

    async with Worker(tasks, client=client):
        first = await pay.enqueue(client, 1, job_id="first")
        await inside.wait()
        second = await pay.enqueue(client, 2)
        assert [await job.result(timeout=20) for job in (first, second)] == [1, 1]
    assert refusals == [("charge", "first")]
    kept = await queue.get(second.id)
    assert kept is not None
    assert (kept.attempts_made, kept.attempts_started) == (1, 2)


async def test_a_run_that_died_inside_is_replaced(
    client: Client, queue: QueueClient, raw: redis.asyncio.Redis
) -> None:
    """When its lock is gone another run may enter; the late one cannot keep its result, and its next attempt is given
    that of the other."""
    tasks, inside, go_on, late = Queue(queue.name), asyncio.Event(), asyncio.Event(), []
    keys = client.server.keys(queue.name)

    async def slow() -> str:
        inside.set()
        await go_on.wait()
        return "late"

    async def quick() -> str:
        return "quick"

    @tasks.task
    async def work(order: int, ctx: Context) -> str:
        if order == 2:
            return await ctx.once("k", quick)
        try:
            return await ctx.once("k", slow)
        except StaleRun as error:
            late.append(error)
            raise

    async with Worker(tasks, client=client):
        first = await work.enqueue(client, 1, job_id="first")
        await inside.wait()
        await raw.delete(keys.job("first") + ":lock")
        assert await (await work.enqueue(client, 2)).result(timeout=10) == "quick"
        go_on.set()
        assert await first.result(timeout=20) == "quick"
    assert len(late) == 1


async def test_twice_in_one_run(client: Client, queue: QueueClient) -> None:
    """Calls of one run for one key come one after the other."""
    tasks, bank = Queue(queue.name), Bank()

    @tasks.task
    async def pay(_order: int, ctx: Context) -> list[int]:
        receipts = await asyncio.gather(*(ctx.once("charge", bank.charge) for _ in range(3)))
        return [receipt.number for receipt in receipts]

    async with Worker(tasks, client=client):
        assert await (await pay.enqueue(client, 7)).result(timeout=10) == [1, 1, 1]


async def test_in_a_thread(client: Client, queue: QueueClient) -> None:
    """The blocking twin runs the effect in the handler's own thread, with the same meaning."""
    import threading

    tasks, threads = Queue(queue.name, backoff=0), []

    @tasks.task(run=InThread)
    def pay(order: int, ctx: BlockingContext) -> int:
        def charge() -> Receipt:
            threads.append(threading.get_ident())
            if order == 0:
                raise Unrecoverable("no such account")
            return Receipt(threading.get_ident())

        assert ctx.once(f"charge:{order}", charge).number == ctx.once(f"charge:{order}", charge).number
        return threads.count(threading.get_ident())

    async with Worker(tasks, client=client):
        assert await (await pay.enqueue(client, 7)).result(timeout=10) == 1
        with pytest.raises(JobFailed, match="no such account"):
            await (await pay.enqueue(client, 0)).result(timeout=10)
    assert len(threads) == 2


async def numbers() -> list[float]:
    """What JSON does not have."""
    return [float("nan")]


async def document() -> str:
    """Too long."""
    return "x" * 65_537


@pytest.mark.parametrize(
    ("effect", "reason"), [(numbers, "NaN"), (document, "65,539 bytes"), (object, "cannot be")]
)
async def test_what_cannot_be_remembered(
    effect: Any, reason: str, client: Client, queue: QueueClient
) -> None:
    """The job fails for good: another attempt would repeat what has happened."""
    tasks, calls = Queue(queue.name, backoff=0, attempts=5), []

    async def happen() -> Any:
        calls.append(1)
        return object() if effect is object else await effect()

    @tasks.task
    async def work(_payload: None, ctx: Context) -> None:
        await ctx.once("k", happen)

    async with Worker(tasks, client=client):
        job = await work.enqueue(client, None)
        with pytest.raises(JobFailed, match=reason):
            await job.result(timeout=10)
    assert calls == [1]


@pytest.mark.parametrize(
    ("key", "keep"),
    [("", 1), ("x" * 201, 1), ("a\n", 1), (7, 1), ("\ud800", 1), ("k", 0), ("k", -1), ("k", "1")],
)
async def test_what_is_refused(key: Any, keep: Any, client: Client, queue: QueueClient) -> None:
    """A key or a time that cannot be, before anything happens."""
    tasks, bank, refused = Queue(queue.name), Bank(), []

    @tasks.task
    async def work(_payload: None, ctx: Context) -> None:
        try:
            await ctx.once(key, bank.charge, keep=keep)
        except InvalidOption as error:
            refused.append(error)

    async with Worker(tasks, client=client):
        await (await work.enqueue(client, None)).result(timeout=10)
    assert (len(refused), bank.charges) == (1, 0)


async def test_how_long_it_is_kept(client: Client, queue: QueueClient, raw: redis.asyncio.Redis) -> None:
    """A day by default, or as asked, from when the effect happened. Then it happens again. What declares no type gives
    plain JSON."""
    tasks, bank = Queue(queue.name), Bank()
    keys = client.server.keys(queue.name)

    @tasks.task
    async def work(keep: float, ctx: Context) -> int:
        if keep:
            undeclared: Any = await ctx.once("k", lambda: bank.charge(), keep=timedelta(seconds=keep))
            return int(undeclared["number"])
        return (await ctx.once("k", partial(bank.charge))).number

    async with Worker(tasks, client=client):
        await (await work.enqueue(client, 0)).result(timeout=10)
        assert 86_000_000 < await raw.pttl(keys.key("once") + "k") <= 86_400_000
        await raw.delete(keys.key("once") + "k")
        assert await (await work.enqueue(client, 60)).result(timeout=10) == 2
        assert 0 < await raw.pttl(keys.key("once") + "k") <= 60_000


async def test_a_job_that_is_gone(client: Client, queue: QueueClient, raw: redis.asyncio.Redis) -> None:
    """Its run enters no effect."""
    tasks, bank = Queue(queue.name), Bank()
    keys, begun, go_on, raised = client.server.keys(queue.name), asyncio.Event(), asyncio.Event(), []

    @tasks.task
    async def work(_payload: None, ctx: Context) -> None:
        begun.set()
        await go_on.wait()
        try:
            await ctx.once("k", bank.charge)
        except Exception as error:
            raised.append(type(error).__name__)
            raise

    async with Worker(tasks, client=client):
        await work.enqueue(client, None, job_id="gone")
        await begun.wait()
        await raw.delete(keys.job("gone"))
        go_on.set()
    assert (raised, bank.charges) == (["JobGone"], 0)
