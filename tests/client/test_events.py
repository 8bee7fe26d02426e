"""A subscription loses no event, whatever happens between two reads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from corral import Client, Event, JobState, Worker
from corral.client.events import EventSubscription
from corral.client.queue import QueueClient
from tests.faults.proxy import Proxy
from tests.servers import ServerProcess


async def first(events: EventSubscription, count: int) -> list[Event]:
    """The next events."""
    found: list[Event] = []
    async with asyncio.timeout(15):
        async for event in events:
            found.append(event)
            if len(found) == count:
                break
    return found


def facts(events: list[Event]) -> list[tuple[str, str | None]]:
    """Name and job of each."""
    return [(event.name, event.job_id) for event in events]


async def test_everything_after_entering_is_delivered(queue: QueueClient, worker: Worker) -> None:
    """The life of a job, event by event, with what each tells."""
    await queue.enqueue("double", 1, job_id="before")
    seen: list[Event] = []
    async with queue.events() as events:
        async with worker:
            job = await queue.enqueue("double", 4, job_id="the:one")
            await job.result(timeout=10)
        while ("completed", "the:one") not in facts(seen):
            seen += await first(events, 1)
    assert ("added", "before") not in facts(seen)
    mine = [event for event in seen if event.job_id == "the:one"]
    assert [event.name for event in mine] == ["added", "waiting", "active", "completed"]
    assert mine[2].prev is JobState.WAITING
    assert mine[3].returnvalue == 8
    assert {event.queue for event in seen} == {queue.name}
    assert [event.timestamp_ms for event in seen] == sorted(event.timestamp_ms for event in seen)


async def test_nothing_is_lost_between_reads(queue: QueueClient) -> None:
    """What happens while the loop body is at work, or between two loops, is delivered next, once and in order."""
    async with queue.events() as events:
        jobs = [(await queue.enqueue("job", 0)).id]
        seen: list[Event] = []
        for number in range(1, 30):
            seen += await first(events, 2)
            jobs += [job.id for job in await queue.enqueue_many("job", [number] * (number % 3))]
            if len(seen) == 2 * len(jobs):
                jobs.append((await queue.enqueue("job", 0)).id)
        seen += await first(events, 2 * len(jobs) - len(seen))
    added = [event.job_id for event in seen if event.name == "added"]
    assert added == jobs


async def test_reading_resumes_from_a_position(queue: QueueClient) -> None:
    """`position` of one subscription is where another goes on, also after what was left unread."""
    async with queue.events() as events:
        jobs = await queue.enqueue_many("job", [1, 2, 3])
        await first(events, 2)
        position = events.position
    await queue.enqueue("job", 4)
    async with queue.events(after=position) as events:
        rest = await first(events, 6)
    assert sum(event.name == "added" for event in rest) == 3
    assert {job.id for job in jobs[1:]} <= {event.job_id for event in rest}


async def test_from_the_beginning(queue: QueueClient) -> None:
    """`after="0-0"` delivers all that the stream has kept."""
    job = await queue.enqueue("job", 1)
    async with queue.events(after="0-0") as events:
        assert facts(await first(events, 2)) == [("added", job.id), ("waiting", job.id)]


async def test_connections_may_break(
    make_client: Callable[..., Client], proxy: Proxy, queue: QueueClient, queue_name: str
) -> None:
    """Events that happen while the subscriber's connection is down are delivered when it is up again."""
    async with make_client(proxy.url).queue(queue_name).events() as events:
        seen: list[Event] = []
        for number in range(5):
            proxy.reset()
            await queue.enqueue("job", number)
            seen += await first(events, 2)
    assert [event.name for event in seen] == ["added", "waiting"] * 5


async def test_the_server_may_restart(
    make_server: Callable[..., ServerProcess], make_client: Callable[..., Client], queue_name: str
) -> None:
    """A subscription outlives a restart of the server."""
    server = make_server(appendonly="always")
    queue = make_client(server.url).queue(queue_name)
    async with queue.events() as events:
        await queue.enqueue("job", 1)
        assert len(await first(events, 2)) == 2
        server.kill9()
        await asyncio.to_thread(server.start)
        await queue.enqueue("job", 2)
        assert [event.name for event in await first(events, 2)] == ["added", "waiting"]


async def test_it_is_used_as_a_context_manager(queue: QueueClient) -> None:
    """Reading without entering is an error that says how."""
    with pytest.raises(RuntimeError, match="async with"):
        async for _ in queue.events():
            pass


async def test_two_subscribers_see_the_same(queue: QueueClient) -> None:
    """Events are not taken from one another."""
    async with queue.events() as one, queue.events() as other:
        await queue.enqueue_many("job", [1, 2])
        assert await first(one, 4) == await first(other, 4)
    assert isinstance(aiter(one), AsyncIterator)
