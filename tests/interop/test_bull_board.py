"""Bull Board on Corral's queues: it shows what Corral has, and Corral goes on with what it changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from corral import JobState, Queue, RateLimit
from corral.admin.queue import QueueAdmin
from corral.client.client import Client
from corral.client.queue import QueueClient
from corral.engine.recur import NewSchedule, read_schedule, upsert_schedule
from tests.interop.bull_board import BullBoard, bull_board
from tests.interop.conformance.rows import board
from tests.interop.corral_worker import Scripted, corral_worker
from tests.interop.snapshot import Raw

OK: dict[str, Any] = {"script": [{"do": "return", "value": {"sum": 3}}]}
ONCE_BAD: dict[str, Any] = {"script": [{"do": "throw", "message": "no"}, {"do": "return", "value": 2}]}
LOUD: dict[str, Any] = {"script": [{"do": "return", "value": 1, "log": "a line", "progress": 50}]}


@pytest.fixture
async def seen(redis_url: str, prefix: str, queue_name: str) -> AsyncIterator[BullBoard]:
    """A board on the test's queue."""
    async with bull_board(redis_url, prefix, queue_name) as made:
        yield made


async def _run(ours: QueueClient, redis_url: str, prefix: str, *ids: str) -> Scripted:
    """Let a Corral worker work until these jobs have ended; no attempt is retried."""
    async with corral_worker(redis_url, prefix, ours.name) as worker:
        for job_id in ids:
            await ours.job(job_id).wait(timeout=10)
    return worker


@board("board-queues", "board-list", "board-detail", "board-logs", "board-workers")
async def test_it_shows_what_corral_made_and_ran(
    seen: BullBoard, ours: QueueClient, redis_url: str, prefix: str
) -> None:
    """Counts, the jobs of each state, one job with its data, result, failure and log, and the worker."""
    done = await ours.enqueue("reporting", LOUD, remove_on_complete=False)
    bad = await ours.enqueue("bad", ONCE_BAD, attempts=1)
    async with corral_worker(redis_url, prefix, ours.name, name="mailer-1"):
        for handle in (done, bad):
            await handle.wait(timeout=10)
        later = await ours.enqueue("later", {"n": 1}, delay=3600)
        assert "mailer-1" in str(await seen.get("/workers"))
    waiting = await ours.enqueue("waits", OK)
    urgent = await ours.enqueue("urgent", OK, priority=2)
    expected = {"completed": done, "failed": bad, "delayed": later, "waiting": waiting, "prioritized": urgent}
    counts = {state.value: count for state, count in (await ours.counts()).items() if count}
    for status, handle in expected.items():
        shown = await seen.shown(status)
        assert {name: count for name, count in shown["counts"].items() if count} == counts
        assert [job["id"] for job in shown["jobs"]] == [handle.id]
    detail = await seen.get(f"/{bad.id}")
    assert detail["status"] == "failed"
    assert detail["job"]["failedReason"] == "no"
    assert detail["job"]["data"] == ONCE_BAD
    assert "RuntimeError: no" in detail["job"]["stacktrace"][0]
    told = (await seen.get(f"/{done.id}"))["job"]
    assert (told["progress"], told["returnValue"]) == (50, 1)
    assert "a line" in str(await seen.get(f"/{done.id}/logs"))


@board("board-flow")
async def test_it_shows_a_flow(seen: BullBoard, client: Client, ours: QueueClient) -> None:
    """A tree that Corral added is the tree that the board draws."""
    tasks = Queue(ours.name)

    @tasks.task
    async def step(number: int) -> int:
        return number

    child = step.node(1)
    flow = await step.node(2, children=[child]).enqueue(client)
    shown = await seen.get(f"/{flow.id}/flow")
    assert flow.id in str(shown)
    assert flow.job(child).id in str(shown)
    assert (await seen.shown("waiting-children"))["jobs"][0]["id"] == flow.id


@board("board-retry", "board-retry-all")
async def test_what_it_retries_is_run(
    seen: BullBoard, ours: QueueClient, redis_url: str, prefix: str
) -> None:
    """One failed job, then all the others, are run again by Corral and completed."""
    handles = await ours.enqueue_many("bad", [ONCE_BAD] * 4, attempts=1, remove_on_complete=False)
    await _run(ours, redis_url, prefix, *(handle.id for handle in handles))
    await seen.put(f"/{handles[0].id}/retry")
    assert (await ours.counts())[JobState.WAITING] == 1
    await seen.put("/retry/failed")
    assert (await ours.counts())[JobState.FAILED] == 0
    await _run(ours, redis_url, prefix, *(handle.id for handle in handles))
    assert (await ours.counts())[JobState.COMPLETED] == 4


@board("board-promote", "board-promote-all", "board-data")
async def test_what_it_promotes_is_run_with_the_data_it_wrote(
    seen: BullBoard, ours: QueueClient, redis_url: str, prefix: str
) -> None:
    """One delayed job with new data, then all the others, become ready and are run."""
    handles = await ours.enqueue_many("later", [OK] * 3, delay=3600, remove_on_complete=False)
    ids = [handle.id for handle in handles]
    await seen.patch(f"/{ids[0]}/update-data", jobData={"new": 1})
    await seen.put(f"/{ids[0]}/promote")
    assert (await ours.counts())[JobState.DELAYED] == 2
    await seen.put("/promote")
    worker = await _run(ours, redis_url, prefix, *ids)
    assert {job.id: job.data for job in worker.ran} == {ids[0]: {"new": 1}, ids[1]: OK, ids[2]: OK}


@board("board-add", "board-pause", "board-remove", "board-clean")
async def test_what_it_adds_is_run_and_what_it_removes_is_gone(
    seen: BullBoard, ours: QueueClient, operated: QueueAdmin, redis_url: str, prefix: str, raw: Raw
) -> None:
    """A job added on the board while it pauses the queue runs after it resumes; then it is cleaned away."""
    gone = await ours.enqueue("gone", OK)
    await seen.put(f"/{gone.id}/clean")
    assert await ours.get(gone.id) is None
    await seen.put("/pause")
    assert await operated.paused()
    await seen.post("/add", name="from the board", data=OK, options={})
    [added] = await ours.jobs(JobState.WAITING)
    assert added.name == "from the board"
    await seen.put("/resume")
    worker = await _run(ours, redis_url, prefix, added.id)
    assert [job.id for job in worker.ran] == [added.id]
    assert (await ours.counts())[JobState.COMPLETED] == 1
    await raw.zadd(f"{prefix}:{ours.name}:completed", {added.id: 1})  # it spares what ended a moment ago
    await seen.put("/clean/completed")
    assert (await ours.counts())[JobState.COMPLETED] == 0


@board("board-concurrency", "board-rate-limit")
async def test_the_limits_it_sets_are_the_queues(seen: BullBoard, operated: QueueAdmin) -> None:
    """Global concurrency and rate limit, as Corral reads them."""
    await seen.put("/concurrency", concurrency=3)
    await seen.put("/rate-limit", max=5, duration=2000)
    settings = await operated.settings()
    assert settings.concurrency == 3
    assert settings.rate_limit == RateLimit(5, per=2.0)


@board("board-schedulers")
async def test_it_shows_and_removes_a_schedule(seen: BullBoard, client: Client, ours: QueueClient) -> None:
    """A schedule of Corral's is listed with its next run, and removed for Corral too."""
    keys = client.server.keys(ours.name)
    await upsert_schedule(
        client.server, keys, NewSchedule("nightly", "tick", every_ms=300_000, offset_ms=1000)
    )
    [shown] = (await seen.api("/job-schedulers"))["schedulers"]
    assert (shown["id"], shown["name"], shown["every"]) == ("nightly", "tick", 300_000)
    pending = f"repeat:nightly:{shown['next']}"
    assert await ours.get(pending) is not None
    await seen.put("/job-schedulers/nightly/remove")
    assert (await read_schedule(client.server, keys, "nightly"))[1] is None
    assert await ours.get(pending) is None


@board("board-empty", "board-obliterate")
async def test_an_emptied_and_an_obliterated_queue_go_on(
    seen: BullBoard, ours: QueueClient, operated: QueueAdmin, redis_url: str, prefix: str
) -> None:
    """After each, what Corral adds next is run."""
    for verb in ("empty", "obliterate"):
        await ours.enqueue_many("x", [OK] * 5)
        if verb == "obliterate":
            await operated.pause()
        await seen.put(f"/{verb}")
        assert sum((await ours.counts()).values()) == 0
        await operated.resume()
        handle = await ours.enqueue("next", OK, remove_on_complete=True, delay=0.2)
        async with corral_worker(redis_url, prefix, ours.name):
            assert await handle.result(timeout=10) == {"sum": 3}
