"""Nobody wants a job any more: it is cancelled, or a newer one takes its place."""

from __future__ import annotations

import asyncio

import pytest

from corral import Client, Context, FailureKind, JobCancelled, Queue, Worker

reports = Queue("reports", attempts=3)
begun: set[str] = set()
left: list[str] = []


@reports.task(supersedes="account")
async def refresh(report: dict[str, str], ctx: Context) -> str:
    """Takes long for a whole year, and tidies up when it is told to leave."""
    begun.add(ctx.job_id)
    try:
        await asyncio.sleep(60 if report["range"] == "year" else 0)  # a slow handler
    except asyncio.CancelledError:
        left.append(report["account"])
        raise
    return f"{report['account']}: {report['range']}"


async def until_begun(job_id: str) -> None:
    """Wait until a job runs."""
    async with asyncio.timeout(10):
        while job_id not in begun:
            await asyncio.sleep(0)


async def test_a_job_that_nobody_wants_any_more(client: Client) -> None:
    """Its handler leaves, no attempt follows, and whoever waits for it is told why."""
    async with Worker(reports, client=client):
        job = await refresh.enqueue(client, {"account": "ada", "range": "year"})
        await until_begun(job.id)
        await job.cancel("Ada has closed the page")
        with pytest.raises(JobCancelled, match="Ada has closed the page"):
            await job.result(timeout=30)
    ended = await job.wait(timeout=5)
    assert (ended.failure_kind, ended.attempts_made) == (FailureKind.CANCELLED, 1)
    assert left.pop() == "ada"


async def test_a_newer_one_takes_its_place(client: Client) -> None:
    """Ada asks again before her first report is done: only the newer one is made; Bob's is left alone."""
    async with Worker(reports, client=client):
        old = await refresh.enqueue(client, {"account": "ada", "range": "year"})
        await until_begun(old.id)
        other = await refresh.enqueue(client, {"account": "bob", "range": "week"})
        new = await refresh.enqueue(client, {"account": "ada", "range": "week"})
        results = [await job.result(timeout=30) for job in (new, other)]
        assert results == ["ada: week", "bob: week"]
        with pytest.raises(JobCancelled) as cancelled:
            await old.result(timeout=30)
    assert cancelled.value.superseded_by == new.id
    assert left.pop() == "ada"
