"""Numbers that somebody else has damaged: no script fails over one, no job is lost, and other jobs go on."""

from __future__ import annotations

import pytest

from corral.contracts.states import JobState
from corral.engine.control import promote_jobs, retry_jobs
from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job

DAMAGES = ["nan", "-nan", "inf", "-inf", "1e400", "-7", "1.5", "x", "", "0x1F", "9" * 30]
FIELDS = ("priority", "ats", "atm", "stc", "delay")

damaged = pytest.mark.parametrize("damage", DAMAGES)


async def spoil(driver: Driver, wire_id: str, damage: str) -> None:
    """Every number of a job is damaged."""
    fields = [word for field in FIELDS for word in (field, damage)]
    await driver.call("HSET", driver.keys.job(wire_id), *fields)


async def runs(driver: Driver, *wire_ids: str) -> None:
    """These jobs can all be started and settled."""
    found = await driver.take(len(wire_ids))
    assert {run.wire_id for run in found} == {*wire_ids}
    assert await driver.settle(*(end(run) for run in found)) == [0] * len(wire_ids)


@damaged
async def test_a_job_that_runs(driver: Driver, damage: str) -> None:
    """It starts, is retried at once and later, fails, is retried by hand, and completes."""
    await driver.add("a", "b")
    await spoil(driver, "a", damage)
    first, other = await driver.take(2)
    assert await driver.settle(end(first, Verb.RETRY, "x"), end(other)) == [0, 0]
    assert await driver.settle(end(await driver.take_one(), Verb.DELAY, "x", amount=5)) == [0]
    await spoil(driver, "a", damage)
    driver.now += 5
    assert await driver.settle(end(await driver.take_one(), Verb.FAIL, "x")) == [0]
    await spoil(driver, "a", damage)
    assert await retry_jobs(driver.server, driver.keys, JobState.FAILED, ["a"]) == [None]
    await runs(driver, "a")


@damaged
async def test_a_job_whose_worker_died(driver: Driver, damage: str) -> None:
    """It is returned, counted from one, and others with it."""
    await driver.add("a", "b")
    await driver.take(2)
    await spoil(driver, "a", damage)
    await driver.lose_lock("a")
    await driver.lose_lock("b")
    await driver.check_stalled()
    returned = await driver.check_stalled()
    assert {job.wire_id for job in returned} == {b"a", b"b"}
    assert (await driver.fields("b"))["stc"] == "1"
    await runs(driver, "a", "b")


@damaged
async def test_a_delayed_job(driver: Driver, damage: str) -> None:
    """It becomes ready, in time or by hand."""
    await driver.add(new_job("a", delay=5), new_job("b", delay=5))
    await spoil(driver, "a", damage)
    await spoil(driver, "b", damage)
    assert await promote_jobs(driver.server, driver.keys, ["b"]) == [None]
    driver.now += 5
    await runs(driver, "a", "b")


@damaged
async def test_a_parent(driver: Driver, damage: str) -> None:
    """It is released by its last child."""
    keys = driver.keys
    await driver.add("p", new_job("a"))
    await driver.call("LREM", keys.key("wait"), 1, "p")
    await driver.call("ZADD", keys.key("waiting_children"), 1, "p")
    await driver.call("SADD", keys.job("p") + ":dependencies", keys.job("a"))
    await driver.call("HSET", keys.job("a"), "parentKey", keys.job("p"), "parent", "{}")
    await spoil(driver, "p", damage)
    child = await driver.take_one()
    await driver.call("HSET", keys.key("meta"), "concurrency", damage)
    assert await driver.settle(end(child)) == [0]
    await driver.call("HDEL", keys.key("meta"), "concurrency")
    assert "p" in [
        *await driver.waiting(),
        *await driver.scores("prioritized"),
        *await driver.scores("delayed"),
    ]


@damaged
async def test_a_job_kept_for_later(driver: Driver, damage: str) -> None:
    """What a deduplication id has kept is added when its owner ends."""
    rule = {"id": "d", "keep": True}
    await driver.add(new_job("a", rule=rule))
    owner = await driver.take_one()
    await driver.add(new_job("b", rule=rule))
    opts = f'{{"delay":"{damage}","priority":"{damage}","de":{{"id":"d","ttl":"{damage}"}}}}'
    await driver.call("HSET", driver.keys.base + "dn:d", "opts", opts)
    assert await driver.settle(end(owner)) == [0]
    assert "b" in [
        *await driver.waiting(),
        *await driver.scores("prioritized"),
        *await driver.scores("delayed"),
    ]


@damaged
async def test_the_settings_of_a_queue(driver: Driver, damage: str) -> None:
    """What is no number sets nothing; what is one is obeyed. Nothing fails over either."""
    meta, totals = driver.keys.key("meta"), driver.keys.key("metrics_completed")
    await driver.add("a")
    run = await driver.take_one()
    settings = ("concurrency", "max", "duration", "opts.maxLenEvents")
    await driver.call("HSET", meta, *(word for name in settings for word in (name, damage)))
    await driver.call(
        "HSET", totals, *(word for name in ("count", "prevTS", "prevCount") for word in (name, damage))
    )
    await driver.add("b")
    assert await driver.settle(end(run), points=10) == [0]
    driver.now += 60_000
    for name in settings:
        await driver.call("HDEL", meta, name)
        await driver.take(0)
    again = await driver.take_one()
    assert await driver.settle(end(again), points=10) == [0]
