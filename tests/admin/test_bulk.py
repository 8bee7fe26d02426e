"""All jobs that match, while workers run."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from corral import Client, JobState, Queue, Worker
from corral.admin.bulk import JobFilter
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from corral.errors import InvalidOption
from tests.admin.states import put
from tests.engine.driver import Driver


async def fail(driver: Driver, wire_id: str, *, name: str, reason: str, minutes_ago: int) -> None:
    """A job that has failed."""
    await put(driver, JobState.FAILED, wire_id)
    ended = driver.now - minutes_ago * 60_000
    await driver.call(
        "HSET", driver.keys.job(wire_id), "name", name, "failedReason", reason, "finishedOn", ended
    )
    await driver.call("ZADD", driver.keys.key("failed"), ended, wire_id)


NOW = datetime.now(UTC)
FILTERS = [
    (JobFilter(), {"a", "b", "c", "d"}),
    (JobFilter(name="mail"), {"a", "b"}),
    (JobFilter(reason="timeout"), {"a", "c"}),
    (JobFilter(name="mail", reason="refused"), {"b"}),
    (JobFilter(finished_after=NOW - timedelta(minutes=25)), {"c", "d"}),
    (JobFilter(finished_before=NOW - timedelta(minutes=25)), {"a", "b"}),
    (
        JobFilter(
            finished_after=NOW - timedelta(minutes=35),
            finished_before=NOW - timedelta(minutes=15),
            reason="x",
        ),
        set[str](),
    ),
    (JobFilter(finished_after=NOW + timedelta(days=1)), set[str]()),
]


@pytest.mark.parametrize(("where", "expected"), FILTERS)
async def test_a_filter(operated: QueueAdmin, driver: Driver, where: JobFilter, expected: set[str]) -> None:
    """All that is given has to be so; what is counted is what is then retried, the oldest first."""
    await fail(driver, "a", name="mail", reason="a timeout of 5 s", minutes_ago=40)
    await fail(driver, "b", name="mail", reason="refused", minutes_ago=30)
    await fail(driver, "c", name="sms", reason="timeout", minutes_ago=20)
    await fail(driver, "d", name="sms", reason="", minutes_ago=10)
    assert await operated.jobs.count_matching(where=where) == len(expected)
    assert await operated.jobs.retry_all(where=where) == len(expected)
    assert await driver.waiting() == sorted(expected)


async def test_times_have_a_zone() -> None:
    """A time without a zone is refused when the filter is made."""
    with pytest.raises(InvalidOption):
        JobFilter(finished_after=datetime(2030, 1, 1))  # noqa: DTZ001


async def test_limit_and_progress(operated: QueueAdmin, driver: Driver) -> None:
    """No more than the limit; progress counts the jobs looked at."""
    for wire_id in "abcde":
        await fail(driver, wire_id, name="n", reason="", minutes_ago=1)
    told: list[tuple[int, int]] = []
    assert await operated.jobs.retry_all(limit=0) == 0
    assert await operated.jobs.retry_all(limit=2, on_progress=lambda *step: told.append(step)) == 2
    assert told == [(2, 5)]
    assert await operated.jobs.count_matching() == 3
    assert await operated.jobs.retry_all(reset_attempts=True) == 3
    assert [(await driver.fields(wire_id)).get("atm") for wire_id in "abcde"] == ["1", "1", None, None, None]


async def test_each_is_retried_once_while_workers_run(operated: QueueAdmin, client: Client) -> None:
    """Jobs that fail again at once, while the others are still being retried, are not retried a second time."""
    queue, runs = Queue(operated.name), Counter[int]()

    @queue.task(attempts=1)
    async def break_down(number: int) -> None:
        runs[number] += 1
        raise RuntimeError("as ever")

    async with Worker(queue, client=client, concurrency=20):
        for handle in await break_down.enqueue_many(client, range(1200)):
            await handle.wait(timeout=30)
        assert await operated.jobs.retry_all() == 1200
        while (await operated.counts())[JobState.FAILED] < 1200:
            pass
    assert set(runs.values()) == {2}
    assert len(runs) == 1200


async def test_all_are_promoted(operated: QueueAdmin, produced: QueueClient, driver: Driver) -> None:
    """More than a page of delayed jobs becomes ready, in the order in which they were due."""
    handles = await produced.enqueue_many("n", range(1200), delay=3600)
    last = await produced.enqueue("n", delay=60)
    told: list[tuple[int, int]] = []
    assert await operated.jobs.promote_all(on_progress=lambda *step: told.append(step)) == 1201
    assert await driver.waiting() == [last.id, *(handle.id for handle in handles)]
    assert told == [*((done, 1201) for done in range(100, 1201, 100)), (1201, 1201)]
    assert await operated.jobs.promote_all() == 0


async def test_many_are_removed(operated: QueueAdmin, produced: QueueClient) -> None:
    """Each of several is removed or refused on its own."""
    handles = await produced.enqueue_many("n", range(5))
    told: list[tuple[int, int]] = []
    done = await operated.jobs.remove_many(
        [*(handle.id for handle in handles[:3]), "nobody"], on_progress=lambda *step: told.append(step)
    )
    assert (len(done.done), [*done.refused]) == (3, ["nobody"])
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (await operated.counts())[JobState.WAITING] == 2


def test_a_filter_that_lets_nothing_through() -> None:
    """Two times the wrong way round are a mistake, and said so."""
    with pytest.raises(InvalidOption, match="nothing ends before it"):
        JobFilter(finished_after=NOW, finished_before=NOW - timedelta(hours=1))


@pytest.mark.parametrize("state", [["failed"], None, 5, "waiting"])
async def test_a_state_that_is_none(operated: QueueAdmin, state: Any) -> None:
    """Only jobs that have ended can be retried, and the error says which states that are."""
    with pytest.raises(InvalidOption, match="failed or completed"):
        await operated.jobs.retry_all(state)
    with pytest.raises(InvalidOption, match="give one of"):
        await operated.clean([state], older_than=0)  # type: ignore[arg-type]
