"""What is left of jobs in no state is found and removed; what is only on its way is not (wire format §§20, 31)."""

from __future__ import annotations

import pytest

from corral.engine.browse_queue import ListChangesTooFast, find_orphans, listed_ids
from corral.engine.control_orphans import remove_orphans
from tests.engine.driver import Driver, end, new_job


async def marks(driver: Driver, *ids: str) -> dict[str, bytes]:
    """Suspects among some jobs, with their marks."""
    return await find_orphans(driver.server, driver.keys, ids)


async def remove(driver: Driver, found: dict[str, bytes], search: int = 1000) -> int:
    """Remove suspects as they were found."""
    return await remove_orphans(
        driver.server, driver.keys, list(found.items()), clock=driver.now, search=search
    )


async def lose(driver: Driver, *ids: str) -> None:
    """Jobs with a record and in no state."""
    for wire_id in ids:
        await driver.call("HSET", driver.keys.job(wire_id), "name", "n", "timestamp", driver.now)


async def test_who_is_suspect(driver: Driver) -> None:
    """Jobs in a sorted state and running ones are not; lists are not searched; definitions of schedules are no jobs."""
    await driver.add("done", "runs")
    done, _ = await driver.take(2)
    await driver.settle(end(done))
    await driver.add("waits", new_job("later", delay=5), new_job("urgent", priority=1))
    await lose(driver, "lost", "repeat:s:7")
    await driver.call("RPUSH", driver.keys.job("gone") + ":logs", "x")
    await driver.call("HSET", driver.keys.job("repeat:a:7"), "name", "n", "ic", 1, "every", 5)
    ids = ["done", "runs", "waits", "later", "urgent", "lost", "repeat:s:7", "gone", "repeat:a:7"]
    found = await marks(driver, *ids)
    assert list(found) == ["waits", "lost", "repeat:s:7", "gone"]
    assert found["gone"] == b""


async def test_removing(driver: Driver) -> None:
    """An orphan goes with all its keys, frees its deduplication id, and its parent does not wait for it."""
    keys = driver.keys
    await lose(driver, "a", "p")
    await driver.call("ZADD", keys.key("waiting_children"), 1, "p")
    await driver.call("HSET", keys.job("a"), "parentKey", keys.job("p"), "deid", "d")
    await driver.call("SADD", keys.job("p") + ":dependencies", keys.job("a"))
    await driver.call("SET", keys.base + "de:d", "a")
    await driver.call("RPUSH", keys.job("a") + ":logs", "x")
    found = await marks(driver, "a")
    assert await remove(driver, found) == 1
    assert await remove(driver, found) == 0
    assert await driver.waiting() == ["p"]
    left = await driver.call("KEYS", keys.base + "*")
    assert sorted(left) == sorted([keys.job("p"), keys.key("wait"), keys.key("marker"), keys.key("events")])


@pytest.mark.parametrize("place", ["wait", "paused", "active"])
async def test_who_stands_in_a_list_stays(driver: Driver, place: str) -> None:
    """While the lists are short, the step that removes looks through them itself."""
    await lose(driver, "a")
    found = await marks(driver, "a")
    await driver.call("LPUSH", driver.keys.key(place), "a")
    assert await remove(driver, found) == 0
    assert await driver.call("EXISTS", driver.keys.job("a")) == 1


async def test_who_has_moved_meanwhile_stays(driver: Driver) -> None:
    """A job that was claimed, settled or put off since it was marked is none, however long the lists are."""
    await driver.add("claimed", "ended", "retried")
    found = await marks(driver, "claimed", "ended", "retried")
    assert len(found) == 3
    runs = await driver.take(3)
    await driver.settle(end(runs[1]))
    await driver.lose_lock("claimed")
    await driver.lose_lock("retried")
    before = await driver.call("HGETALL", driver.keys.job("claimed"))
    assert await remove(driver, found, search=0) == 0
    assert await driver.call("HGETALL", driver.keys.job("claimed")) == before


async def read(driver: Driver, count: int = 4) -> list[str]:
    """All ids of `wait`, read in pages."""
    return [
        wire_id.decode()
        async for page in listed_ids(driver.server, driver.keys, "wait", count=count)
        for wire_id in page
    ]


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 8, 17])
async def test_reading_a_list(driver: Driver, length: int) -> None:
    """Every id is read once, whatever the length of list and page."""
    ids = [f"j{n}" for n in range(length)]
    if ids:
        await driver.call("RPUSH", driver.keys.key("wait"), *ids)
    assert await read(driver) == ids


async def test_reading_a_list_that_changes(driver: Driver) -> None:
    """Who stays in the list is read, while others are added before, taken behind and removed between."""
    key = driver.keys.key("wait")
    ids = [f"j{n}" for n in range(30)]
    await driver.call("RPUSH", key, *ids)
    seen: set[str] = set()
    gone: set[str] = set()
    number = 0
    async for page in listed_ids(driver.server, driver.keys, "wait", count=8):
        seen |= {wire_id.decode() for wire_id in page}
        number += 1
        await driver.call("LPUSH", key, f"new{number}")
        gone.add(await driver.call("RPOP", key))
        middle = await driver.call("LINDEX", key, 3)
        gone.add(middle)
        await driver.call("LREM", key, 1, middle)
    assert set(ids) - gone <= seen
    assert number > 3


async def test_a_list_that_changes_too_fast(driver: Driver) -> None:
    """When what was read last is gone each time, reading gives up instead of skipping."""
    key = driver.keys.key("wait")
    await driver.call("RPUSH", key, *(f"j{n}" for n in range(20)))
    rounds = 0
    with pytest.raises(ListChangesTooFast):
        async for _ in listed_ids(driver.server, driver.keys, "wait", count=4):
            rounds += 1
            await driver.call("DEL", key)
            await driver.call("RPUSH", key, *(f"j{rounds}-{n}" for n in range(20)))
