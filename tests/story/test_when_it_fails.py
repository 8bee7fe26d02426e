"""A handler raises: the job is tried again, or fails for good with its reason."""

from __future__ import annotations

import asyncio

import pytest

from corral import Client, Context, JobFailed, JobState, Queue, Snooze, Unrecoverable, Worker

payments = Queue("payments", attempts=3, backoff=0.01)


@payments.task
async def collect(works_at: int, ctx: Context) -> str:
    """Works at a certain attempt."""
    if ctx.attempt < works_at:
        raise ConnectionError("the bank hung up")
    return f"paid at attempt {ctx.attempt} of {ctx.attempts}"


@payments.task
async def charge(account: str) -> None:
    """Never works, and knows it."""
    raise Unrecoverable(f"account {account} is closed")


@payments.task(attempts=1, timeout=0.2)
async def audit(seconds: float) -> None:
    """Takes too long."""
    await asyncio.sleep(seconds)  # a slow handler


put_off: set[str] = set()


@payments.task(attempts=1)
async def settle(_: None, ctx: Context) -> str:
    """Cannot run yet, at the first time."""
    if ctx.job_id not in put_off:
        put_off.add(ctx.job_id)
        raise Snooze(0.05)
    return "settled"


async def test_a_job_is_tried_again_until_it_works(client: Client) -> None:
    """Any exception is a failed attempt; the next one follows after the backoff."""
    async with Worker(payments, client=client):
        job = await collect.enqueue(client, 3)
        assert await job.result(timeout=30) == "paid at attempt 3 of 3"


async def test_a_job_fails_for_good_with_its_reason(client: Client) -> None:
    """After the last attempt `result` raises `JobFailed`, which says why and how often; the job is kept."""
    async with Worker(payments, client=client):
        job = await collect.enqueue(client, 99)
        with pytest.raises(JobFailed, match="the bank hung up") as failed:
            await job.result(timeout=30)
    assert (failed.value.job_id, failed.value.attempts_made) == (job.id, 3)
    assert await job.state() is JobState.FAILED


async def test_a_handler_may_give_up_at_once(client: Client) -> None:
    """`Unrecoverable` fails the job now, whatever attempts are left."""
    async with Worker(payments, client=client):
        job = await charge.enqueue(client, "a-7")
        with pytest.raises(JobFailed) as failed:
            await job.result(timeout=30)
    assert (failed.value.reason, failed.value.attempts_made) == ("account a-7 is closed", 1)


async def test_a_job_that_takes_too_long_is_stopped(client: Client) -> None:
    """`timeout=` ends a run, which counts as a failed attempt like any other."""
    async with Worker(payments, client=client):
        job = await audit.enqueue(client, 60.0)
        with pytest.raises(JobFailed, match=r"0\.2 s"):
            await job.result(timeout=30)


async def test_not_yet_is_not_a_failure(client: Client) -> None:
    """`Snooze` puts a job off without spending an attempt: one that has a single one can still succeed."""
    async with Worker(payments, client=client):
        job = await settle.enqueue(client, None)
        assert await job.result(timeout=30) == "settled"
        assert (await job.wait()).attempts_started == 2
