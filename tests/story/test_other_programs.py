"""Queues that are shared with programs whose types are not known here: a Node service, an older version."""

from __future__ import annotations

from typing import Any

import pytest

from corral import Client, Job, JobFailed, JobState, Queue, Worker

images = Queue("images", attempts=1)


@images.task
async def resize(width: int) -> str:
    """The one task that this program knows."""
    return f"resized to {width} px"


anything = Queue("anything")


@anything.catch_all
async def process(job: Job) -> Any:
    """One handler for whatever comes, as in Node."""
    return {"name": job.name, "data": job.data}


async def test_a_job_for_another_program_is_enqueued_by_name(client: Client) -> None:
    """`client.queue(name)` adds jobs by name with plain JSON, and gives their results as such."""
    async with Worker(images, client=client):
        job = await client.queue("images").enqueue("resize", 64)
        assert await job.result(timeout=30) == "resized to 64 px"


async def test_one_handler_may_take_every_name(client: Client) -> None:
    """A `catch_all` handler gets the job itself, and so its name and its data."""
    async with Worker(anything, client=client):
        job = await client.queue("anything").enqueue("rotate", {"degrees": 90})
        assert await job.result(timeout=30) == {"name": "rotate", "data": {"degrees": 90}}


async def test_a_name_that_nobody_knows_fails(client: Client) -> None:
    """A job that no task of the worker is named for fails like any other, with its retries, and can be looked at."""
    async with Worker(images, client=client):
        job = await client.queue("images").enqueue("sharpen", {"by": 2}, attempts=2, backoff=0.01)
        with pytest.raises(JobFailed, match="no task named 'sharpen'") as failed:
            await job.result(timeout=30)
    assert failed.value.attempts_made == 2
    kept = await client.queue("images").get(job.id)
    assert kept is not None
    assert (kept.state, kept.data) == (JobState.FAILED, {"by": 2})


async def test_names_may_be_left_to_other_workers(client: Client) -> None:
    """With `unknown="park"` a worker puts such jobs back, without spending an attempt, until one who knows comes."""
    job = await client.queue("images").enqueue("resize", 64)
    strangers = Queue("images")
    async with client.queue("images").events() as events, Worker(strangers, client=client, unknown="park"):
        async for event in events:
            if event.name == "delayed":
                break
    assert await job.state() is JobState.DELAYED


async def test_a_payload_of_the_wrong_type_fails(client: Client) -> None:
    """What another program put in is checked before the handler sees it: the reason names what is wrong."""
    async with Worker(images, client=client):
        job = await client.queue("images").enqueue("resize", "wide", attempts=5)
        with pytest.raises(JobFailed, match="valid integer") as failed:
            await job.result(timeout=30)
    assert failed.value.attempts_made == 1
