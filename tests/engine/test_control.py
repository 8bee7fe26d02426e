"""Control: what an operator does to a job that no worker holds (wire format §20)."""

from __future__ import annotations

import pytest

from corral.engine.control import remove_job
from corral.engine.record import Refusal, Verb
from tests.engine.driver import Driver, end, new_job

PARTS = ("", ":lock", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful")


async def remove(driver: Driver, wire_id: str) -> int:
    """Remove a job."""
    return await remove_job(driver.server, driver.keys, wire_id, clock=driver.now)


@pytest.mark.parametrize(
    ("wire_id", "previous"),
    [
        ("waits", "wait"),
        ("later", "delayed"),
        ("urgent", "prioritized"),
        ("done", "completed"),
        ("broke", "failed"),
        ("parked", "paused"),
        ("parent", "waiting-children"),
        ("left", "active"),
    ],
)
async def test_from_every_state(driver: Driver, wire_id: str, previous: str) -> None:
    """The job leaves its place with all its keys; `removed` says where it was; the others stay."""
    await driver.add("done", "broke", "left")
    done, broke, left = await driver.take(3)
    await driver.settle(end(done), end(broke, Verb.FAIL, "x"))
    await driver.lose_lock(str(left.wire_id))
    await driver.add("waits", new_job("later", delay=5), new_job("urgent", priority=1), "parked", "other")
    await driver.call("LREM", driver.keys.key("wait"), 0, "parked")
    await driver.call("RPUSH", driver.keys.key("paused"), "parked")
    await driver.call("HSET", driver.keys.job("parent"), "name", "p")
    await driver.call("ZADD", driver.keys.key("waiting_children"), 1, "parent")
    await driver.call("RPUSH", driver.keys.job(wire_id) + ":logs", "x")
    assert await remove(driver, wire_id) == 1
    assert await driver.call("EXISTS", *(driver.keys.job(wire_id) + part for part in PARTS)) == 0
    assert await driver.events("removed") == [{"event": "removed", "jobId": wire_id, "prev": previous}]
    assert "other" in await driver.waiting()
    assert wire_id not in [*await driver.waiting(), *await driver.active(), *await driver.scores("delayed")]


async def test_a_running_job_stays(driver: Driver) -> None:
    """A job that a worker holds is not touched."""
    await driver.add("a")
    await driver.take_one()
    before = await driver.bytes_of_all()
    assert await remove(driver, "a") == 0
    assert await driver.bytes_of_all() == before


async def test_the_place_of_a_dead_run_is_given_away(driver: Driver) -> None:
    """Removing a job whose worker is gone makes room in a queue with limited concurrency: somebody is woken."""
    await driver.call("HSET", driver.keys.key("meta"), "concurrency", 1)
    await driver.add("a", "b")
    await driver.take_one()
    await driver.lose_lock("a")
    await driver.call("DEL", driver.keys.key("marker"))
    assert await remove(driver, "a") == 1
    assert await driver.scores("marker") == {"0": 0}


async def test_a_job_that_does_not_exist(driver: Driver) -> None:
    """There is nothing to remove, and nothing is written."""
    assert await remove(driver, "a") == Refusal.NO_JOB
    assert await driver.bytes_of_all() == {}


async def test_the_next_run_of_a_schedule_stays(driver: Driver) -> None:
    """Removing the pending run would end its schedule: refused. An earlier run may go."""
    await driver.call("ZADD", driver.keys.key("repeat_"), driver.now, "s")
    ids = [f"repeat:s:{driver.now}", f"repeat:s:{driver.now - 1}"]
    for wire_id in ids:
        await driver.add(new_job(wire_id))
        await driver.call("HSET", driver.keys.job(wire_id), "rjk", "s")
    assert [await remove(driver, wire_id) for wire_id in ids] == [Refusal.SCHEDULED, 1]


async def test_a_deduplication_id_is_free_again(driver: Driver) -> None:
    """Removing the owner opens its window, with ttl or without, and forgets what was kept for later."""
    for rule in ({"id": "d"}, {"id": "d", "ttl": 60_000}):
        await driver.add(new_job("o", rule=rule))
        await driver.call("HSET", driver.keys.base + "dn:d", "name", "n")
        assert await remove(driver, "o") == 1
        assert await driver.call("EXISTS", driver.keys.base + "de:d", driver.keys.base + "dn:d") == 0


async def test_another_owners_window_stays(driver: Driver) -> None:
    """A job that no longer owns its deduplication id leaves it alone."""
    await driver.add(new_job("o", rule={"id": "d"}))
    await driver.call("SET", driver.keys.base + "de:d", "other")
    await remove(driver, "o")
    assert await driver.call("GET", driver.keys.base + "de:d") == "other"


async def test_the_last_child_releases_its_parent(driver: Driver) -> None:
    """A parent does not wait for a child that is gone."""
    parent = driver.keys.job("p")
    await driver.call("HSET", parent, "name", "p")
    await driver.call("ZADD", driver.keys.key("waiting_children"), 1, "p")
    await driver.call("SADD", parent + ":dependencies", driver.keys.job("a"))
    await driver.add("a")
    await driver.call("HSET", driver.keys.job("a"), "parentKey", parent)
    assert await remove(driver, "a") == 1
    assert await driver.waiting() == ["p"]


async def test_a_key_of_the_wrong_type(driver: Driver) -> None:
    """A job whose key holds no hash can be removed as well."""
    await driver.call("SET", driver.keys.job("bad"), "bytes")
    await driver.call("ZADD", driver.keys.key("failed"), 1, "bad")
    assert await remove(driver, "bad") == 1
    assert await driver.scores("failed") == {}
