"""`enqueue(…, repeat=…)`: the short form of a schedule."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from corral import Admin, Client, Cron, Every, JobState, Queue, SyncClient, Task, Worker
from corral.errors import InvalidOption, InvalidPayload, InvalidSchedule

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def double(queue_name: str) -> Task[int, int]:
    """A task of a queue that no worker serves."""
    queue = Queue(queue_name)

    @queue.task
    async def double(number: int) -> int:
        return 2 * number

    return double


async def test_the_handle_is_that_of_the_next_run(client: Client, double: Task[int, int]) -> None:
    """Its id is BullMQ's for an iteration, and it waits until then."""
    handle = await double.enqueue(client, 4, repeat=Every(hours=1, start=LATER), attempts=7)
    assert handle.id == f"repeat:double:{round(LATER.timestamp() * 1000)}"
    assert await handle.state() is JobState.DELAYED
    job = await client.queue(double.queue).get(handle.id)
    assert job is not None
    assert (job.name, job.data, job.opts.attempts, job.repeat_key) == ("double", 4, 7, "double")


async def test_replicas_make_one_schedule(client: Client, double: Task[int, int], admin: Admin) -> None:
    """However many say the same: one schedule, one pending run, at one time. With another id it is another one."""
    handles = await asyncio.gather(
        *(double.enqueue(client, 4, repeat=Cron("0 0 1 1 *")) for _ in range(20)),
        *(double.enqueue(client, 5, repeat=Cron("0 0 1 1 *"), job_id="other") for _ in range(20)),
    )
    assert len({handle.id for handle in handles}) == 2
    schedules = admin.queue(double.queue).schedules
    assert await schedules.count() == 2
    assert {schedule.id: schedule.data for schedule in await schedules.list()} == {"double": 4, "other": 5}
    assert (await client.queue(double.queue).counts())[JobState.DELAYED] == 2


async def test_it_runs_again_and_again(client: Client, queue_name: str) -> None:
    """A worker runs the iterations, as many as the limit says; the handle gives the result of the first one."""
    queue, ran, third = Queue(queue_name), list[int](), asyncio.Event()

    @queue.task
    async def tick(number: int) -> int:
        ran.append(number)
        if len(ran) == 3:
            third.set()
        return len(ran)

    async with Worker(queue, client=client):
        handle = await tick.enqueue(client, 21, repeat=Every(seconds=0.2, limit=3))
        assert await handle.result(timeout=10) == 1
        await asyncio.wait_for(third.wait(), 10)
    counts = await client.queue(queue_name).counts()
    assert {state: count for state, count in counts.items() if count} == {JobState.COMPLETED: 3}
    assert ran == [21, 21, 21]


async def test_an_untyped_queue_can_too(client: Client, queue_name: str) -> None:
    """The door to queues of other programs."""
    handle = await client.queue(queue_name).enqueue("report", repeat=Every(hours=1, start=LATER))
    assert handle.id.startswith("repeat:report:")


def test_without_a_loop(redis_url: str, prefix: str, double: Task[int, int]) -> None:
    """The same with the blocking client."""
    with SyncClient(redis_url, prefix=prefix) as client:
        handle = double.enqueue(client, 4, repeat=Every(hours=1, start=LATER), job_id="s")
        assert handle.id.startswith("repeat:s:")
        assert handle.state() is JobState.DELAYED
        again = client.queue(double.queue).enqueue(
            "double", 4, repeat=Every(hours=1, start=LATER), job_id="s"
        )
        assert again.id == handle.id


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"delay": 5}, InvalidOption),
        ({"run_at": LATER}, InvalidOption),
        ({"deduplication": "x"}, InvalidOption),
        ({"durability": "fsync"}, InvalidOption),
        ({"repeat": "0 0 * * *"}, InvalidOption),
        ({"repeat": timedelta(hours=1)}, InvalidOption),
        ({"job_id": "a:5"}, InvalidSchedule),
        ({"attempts": 0}, InvalidOption),
        ({"backof": 5}, InvalidOption),
    ],
)
async def test_what_does_not_go_together_is_refused(
    client: Client, double: Task[int, int], options: dict[str, Any], error: type[Exception]
) -> None:
    """Before anything is stored, and with the option's name."""
    with pytest.raises(error) as caught:
        await cast("Any", double).enqueue(client, 4, **{"repeat": Every(hours=1), **options})
    assert "id=" in str(caught.value) or next(iter(options)) in str(caught.value)
    assert await client.queues() == []


async def test_the_payload_is_checked_when_the_schedule_is_made(
    client: Client, double: Task[int, int]
) -> None:
    """Not when its first job runs, at night."""
    with pytest.raises(InvalidPayload):
        await double.enqueue(client, "four", repeat=Every(hours=1))  # type: ignore[call-overload]
    assert await client.queues() == []


async def test_many_cannot_repeat(client: Client, double: Task[int, int]) -> None:
    """`enqueue_many` makes jobs: their schedule would be one and the same."""
    with pytest.raises(InvalidOption, match="repeat"):
        await double.enqueue_many(client, [1, 2], repeat=Every(hours=1))  # type: ignore[call-overload]
