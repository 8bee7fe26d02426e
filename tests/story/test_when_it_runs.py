"""Which job runs when: delays, priorities, and several queues in one worker."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from corral import Client, JobState, Queue, Serve, Worker

errands = Queue("errands")
done: list[str] = []


@errands.task
async def run(errand: str) -> None:
    """Note the errand."""
    done.append(errand)


letters = Queue("letters")
parcels = Queue("parcels")


@letters.task
async def write(to: str) -> str:
    """Write a letter."""
    return f"a letter to {to}"


@parcels.task
async def pack(to: str) -> str:
    """Pack a parcel."""
    return f"a parcel for {to}"


async def test_a_delayed_job_runs_when_it_is_due(client: Client) -> None:
    """`delay=` keeps a job back: it is `delayed` until then, and runs no sooner."""
    async with Worker(errands, client=client):
        job = await run.enqueue(client, "buy milk", delay=timedelta(seconds=0.3))
        assert await job.state() is JobState.DELAYED
        ended = await job.wait(timeout=30)
    assert ended.processed_on is not None
    assert ended.timestamp is not None
    assert ended.processed_on - ended.timestamp >= timedelta(seconds=0.3)


async def test_a_job_may_have_a_time_of_its_own(client: Client) -> None:
    """`run_at=` says when, as a point in time; one that is past is now."""
    tomorrow = await run.enqueue(client, "water the plants", run_at=datetime.now(UTC) + timedelta(days=1))
    yesterday = await run.enqueue(client, "call back", run_at=datetime.now(UTC) - timedelta(days=1))
    assert await tomorrow.state() is JobState.DELAYED
    async with Worker(errands, client=client):
        await yesterday.result(timeout=30)
    assert await tomorrow.state() is JobState.DELAYED


async def test_jobs_run_in_the_order_of_their_priority(client: Client) -> None:
    """Jobs without a priority run first, in their order; then those with one, the lowest number first."""
    done.clear()
    jobs = [
        await run.enqueue(client, "some time", priority=10),
        await run.enqueue(client, "soon", priority=2),
        await run.enqueue(client, "first"),
        await run.enqueue(client, "second"),
        await run.enqueue(client, "before all", lifo=True),
    ]
    async with Worker(errands, client=client, concurrency=1):
        for job in jobs:
            await job.result(timeout=30)
    assert done == ["before all", "first", "second", "soon", "some time"]


async def test_one_worker_serves_several_queues(client: Client) -> None:
    """A worker takes any number of queues; `Serve` gives one of them settings of its own."""
    async with Worker(letters, Serve(parcels, concurrency=1), client=client, concurrency=20):
        letter = await write.enqueue(client, "Ada")
        parcel = await pack.enqueue(client, "Grace")
        assert await letter.result(timeout=30) == "a letter to Ada"
        assert await parcel.result(timeout=30) == "a parcel for Grace"
    assert await client.queues() == ["letters", "parcels"]
