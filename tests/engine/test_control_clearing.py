"""Control of many jobs at once: each step is bounded, keeps schedules and parents whole, and may be sent again
(wire format §20)."""

from __future__ import annotations

import pytest

from corral.engine import control_clearing as clearing
from corral.engine.control_clearing import PLACES, Step
from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job

PARTS = ("", ":lock", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful")


async def drain(driver: Driver, place: str, cursor: str = "0", number: int = 1, count: int = 500) -> Step:
    """One step of draining."""
    step = await clearing.drain_jobs(
        driver.server, driver.keys, place, cursor, "s", number, clock=driver.now, count=count
    )
    return step._replace(cursor=step.cursor.decode() if isinstance(step.cursor, bytes) else step.cursor)


async def clean_listed(driver: Driver, place: str, age: int, skip: int = 0, number: int = 1) -> Step:
    """One step of cleaning a list."""
    return await clearing.clean_listed(
        driver.server, driver.keys, place, age, 500, skip, "s", number, clock=driver.now
    )


async def put(driver: Driver, place: str, *ids: str, **fields: object) -> None:
    """Jobs with a record, in a place where nothing else looks at them."""
    for score, wire_id in enumerate(ids):
        flat = [part for pair in fields.items() for part in pair]
        await driver.call(
            "HSET", driver.keys.job(wire_id), "name", "n", "timestamp", driver.now, *map(str, flat)
        )
        if place in ("wait", "paused", "active"):
            await driver.call("LPUSH", driver.keys.key(place), wire_id)
        else:
            await driver.call("ZADD", driver.keys.key(place), score, wire_id)


async def ids_in(driver: Driver, place: str) -> list[str]:
    """The ids of a place, of a list the next to run first."""
    if place in ("wait", "paused", "active"):
        ids: list[str] = await driver.call("LRANGE", driver.keys.key(place), 0, -1)
        return ids[::-1]
    return list(await driver.scores(place))


# --- draining ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["wait", "paused", "prioritized", "delayed"])
async def test_draining(driver: Driver, place: str) -> None:
    """The jobs of one place go with all their keys; no event is told of them."""
    await put(driver, place, "a", "b")
    await put(driver, "failed", "other")
    for part in (":logs", ":processed"):
        await driver.call("LPUSH", driver.keys.job("a") + part, "x")
    assert await drain(driver, place) == ("0", 2, 2)
    left = await driver.call("KEYS", driver.keys.base + "*")
    assert sorted(left) == sorted([driver.keys.job("other"), driver.keys.key("failed")])
    assert await driver.call("EXISTS", *(driver.keys.job("a") + part for part in PARTS)) == 0
    assert await driver.events() == []


async def test_draining_a_list_in_steps(driver: Driver) -> None:
    """The oldest go first, so many a call; a call that is sent again removes nothing more."""
    await driver.add(*(f"j{n}" for n in range(5)))
    assert await drain(driver, "wait", number=1, count=2) == ("1", 2, 2)
    assert await drain(driver, "wait", number=1, count=2) == ("1", 2, 2)
    assert await driver.waiting() == ["j2", "j3", "j4"]
    await drain(driver, "wait", number=2, count=2)
    assert await drain(driver, "wait", number=3, count=2) == ("0", 1, 1)


async def test_draining_a_long_set_in_steps(driver: Driver) -> None:
    """Each step looks at a part of the set, and all of them together at all of it."""
    await driver.add(*(new_job(f"j{n}", delay=1000 + n) for n in range(400)))
    cursor, number, removed = "0", 0, 0
    while number == 0 or cursor != "0":
        number += 1
        step = await drain(driver, "delayed", cursor, number, count=50)
        assert step.looked <= 50
        cursor, removed = str(step.cursor), removed + step.removed
    assert removed == 400
    assert number > 2
    assert await driver.scores("delayed") == {}


@pytest.mark.parametrize("count", [1, 2, 3, 7])
@pytest.mark.parametrize("apart", [0, 1])
async def test_passing_those_that_stay(driver: Driver, count: int, apart: int) -> None:
    """Whatever stays and however many have one score, each step goes on behind the one before."""
    names = [f"s{n}" for n in range(6)]
    await driver.call("ZADD", driver.keys.key("repeat_"), *(word for name in names for word in (1000, name)))
    ids = [f"repeat:{name}:1000" for name in names] + [f"x{n}" for n in range(6)]
    pairs = [
        word
        for n, wire_id in enumerate(sorted(ids, key=lambda one: one[-1]))
        for word in (n * apart, wire_id)
    ]
    await driver.call("ZADD", driver.keys.key("delayed"), *pairs)
    cursor, number, looked = "0", 0, 0
    while number == 0 or cursor != "0":
        number += 1
        step = await drain(driver, "delayed", cursor, number, count)
        cursor, looked = str(step.cursor), looked + step.looked
    assert sorted(await driver.scores("delayed")) == sorted(ids[:6])
    assert looked == 12


@pytest.mark.parametrize("place", ["wait", "paused", "prioritized", "delayed"])
async def test_the_pending_iteration_of_a_schedule_stays(driver: Driver, place: str) -> None:
    """It stays in its place, also when the schedule's id has colons; an earlier iteration goes, and so does one of a
    schedule that is gone."""
    await driver.call("ZADD", driver.keys.key("repeat_"), 1000, "s", 2000, "a:b")
    stays = ["repeat:s:1000", "repeat:a:b:2000"]
    await put(driver, place, stays[0], "x", "repeat:s:999", "repeat:gone:1000", stays[1], "y")
    assert await drain(driver, place) == ("0", 6, 4)
    assert await ids_in(driver, place) == stays


async def test_iterations_keep_their_order(driver: Driver) -> None:
    """However few ids a step takes, the iterations that stay are in the order in which they were."""
    names = [f"s{n}" for n in range(6)]
    await driver.call("ZADD", driver.keys.key("repeat_"), *(word for name in names for word in (1000, name)))
    ids = [f"repeat:{name}:1000" for name in names]
    await put(driver, "wait", ids[0], "x0", ids[1], ids[2], "x1", "x2", ids[3], ids[4], "x3", ids[5])
    left, number = 10, 0
    while left:
        number += 1
        left -= (await drain(driver, "wait", number=number, count=min(left, 3))).looked
    assert await driver.waiting() == ids


async def test_deduplication_ids_of_drained_jobs_are_free(driver: Driver) -> None:
    """The window of a removed owner is open, and what was kept for later is forgotten; another owner's stays."""
    await driver.add(new_job("o", rule={"id": "d"}), new_job("p", rule={"id": "e", "ttl": 60_000}))
    await driver.call("HSET", driver.keys.base + "dn:d", "name", "n")
    await driver.call("SET", driver.keys.base + "de:e", "other")
    await drain(driver, "wait")
    assert await driver.call("KEYS", driver.keys.base + "d[en]:*") == [driver.keys.base + "de:e"]


async def test_a_parent_of_the_same_queue_goes_with_its_last_child(driver: Driver) -> None:
    """A parent that waited for nothing else goes, and so on upwards; one with another child waits on."""
    keys = driver.keys
    await put(driver, "waiting_children", "top", "mid", "other")
    await driver.call("HSET", keys.job("mid"), "parentKey", keys.job("top"))
    await driver.call("SADD", keys.job("top") + ":dependencies", keys.job("mid"))
    await driver.call("SADD", keys.job("mid") + ":dependencies", keys.job("a"))
    await driver.call("SADD", keys.job("other") + ":dependencies", keys.job("b"), keys.job("c"))
    await put(driver, "wait", "a", parentKey=keys.job("mid"))
    await put(driver, "wait", "b", parentKey=keys.job("other"))
    await drain(driver, "wait")
    assert await ids_in(driver, "waiting_children") == ["other"]
    assert await driver.call("EXISTS", keys.job("top"), keys.job("mid")) == 0
    assert await driver.call("SMEMBERS", keys.job("other") + ":dependencies") == [keys.job("c")]


async def test_a_parent_of_another_queue_runs(driver: Driver) -> None:
    """A parent elsewhere that waited for nothing else is released, and its queue is told."""
    other = driver.server.keys(driver.keys.queue + "-parents")
    await driver.call("HSET", other.job("p"), "name", "p")
    await driver.call("ZADD", other.key("waiting_children"), 1, "p")
    await driver.call("SADD", other.job("p") + ":dependencies", driver.keys.job("a"))
    await put(driver, "wait", "a", parentKey=other.job("p"))
    await drain(driver, "wait")
    assert await driver.call("LRANGE", other.key("wait"), 0, -1) == ["p"]


# --- cleaning ---------------------------------------------------------------------------------------------


async def clean_finished(driver: Driver, place: str, age: int, most: int = 500, number: int = 1) -> int:
    """One step of cleaning finished jobs."""
    return await clearing.clean_finished(
        driver.server, driver.keys, place, age, most, "s", number, clock=driver.now
    )


@pytest.mark.parametrize(("place", "verb"), [("completed", Verb.COMPLETE), ("failed", Verb.FAIL)])
async def test_cleaning_finished_jobs(driver: Driver, place: str, verb: Verb) -> None:
    """Those go that ended so long ago or longer, the oldest first, at most so many; `cleaned` tells how many."""
    for n in range(4):
        await driver.add(f"j{n}")
        await driver.settle(end(await driver.take_one(), verb))
        driver.now += 10
    assert await clean_finished(driver, place, 20, most=2) == 2
    assert await clean_finished(driver, place, 20, most=2) == 2
    assert await ids_in(driver, place) == ["j2", "j3"]
    assert await clean_finished(driver, place, 20, number=2) == 1
    assert await ids_in(driver, place) == ["j3"]
    assert await clean_finished(driver, place, 20, number=3) == 0
    assert [event["count"] for event in await driver.events("cleaned")] == ["2", "1"]
    assert await driver.call("EXISTS", *(driver.keys.job(f"j{n}") for n in range(3))) == 0


@pytest.mark.parametrize("place", ["prioritized", "delayed"])
async def test_cleaning_sorted_lines(driver: Driver, place: str) -> None:
    """Age counts from the last start, else from the beginning; iterations of schedules stay; a limit is kept."""
    await driver.call("ZADD", driver.keys.key("repeat_"), 1000, "s")
    await put(driver, place, "old1", "old2", "repeat:s:1000", "ran", processedOn=driver.now + 90)
    await driver.call("HDEL", driver.keys.job("old1"), "processedOn")
    await driver.call("HDEL", driver.keys.job("old2"), "processedOn")
    driver.now += 100
    await put(driver, place, "young")

    async def clean(most: int, number: int) -> Step:
        return await clearing.clean_unstarted(
            driver.server, driver.keys, place, 50, most, "0", "s", number, clock=driver.now
        )

    assert (await clean(1, 1)).removed == 1
    assert (await clean(5, 2)).removed == 1
    assert sorted(await ids_in(driver, place)) == ["ran", "repeat:s:1000", "young"]


@pytest.mark.parametrize("place", ["wait", "paused", "active"])
async def test_cleaning_lists(driver: Driver, place: str) -> None:
    """Old jobs go from wherever they stand, the others stay in their order; of active ones only those without lock."""
    await put(driver, place, "a", "old1", "b", "c", "old2", "old3", "d")
    await driver.call("SET", driver.keys.job("a") + ":lock", "t")
    for wire_id in ("old1", "old2", "old3"):
        await driver.call("HSET", driver.keys.job(wire_id), "timestamp", driver.now - 100)
    held = "a" if place == "active" else "old3"
    await driver.call("HSET", driver.keys.job(held), "timestamp", driver.now - 100)
    assert await clean_listed(driver, place, 50) == ("0", 7, 3)
    assert await ids_in(driver, place) == ["a", "b", "c", "d"]
    assert [event["count"] for event in await driver.events("cleaned")] == ["3"]


async def test_cleaning_a_list_behind_what_stays(driver: Driver) -> None:
    """Those that earlier calls have found young are skipped."""
    await put(driver, "wait", "a", "b", "c", "d")
    driver.now += 100
    assert await clean_listed(driver, "wait", 50, skip=2) == ("0", 2, 2)
    assert await driver.waiting() == ["a", "b"]


async def test_a_ghost_is_old(driver: Driver) -> None:
    """An id without a record goes."""
    await driver.call("LPUSH", driver.keys.key("wait"), "ghost")
    assert (await clean_listed(driver, "wait", 50)).removed == 1
    assert await driver.waiting() == []


async def test_cleaning_active_jobs_makes_room(driver: Driver) -> None:
    """A dead run that goes gives its place to a ready job, and somebody is woken for it."""
    await driver.call("HSET", driver.keys.key("meta"), "concurrency", 1)
    await driver.add("a", "b")
    await driver.take_one()
    await driver.lose_lock("a")
    await driver.call("DEL", driver.keys.key("marker"))
    assert (await clean_listed(driver, "active", 0)).removed == 1
    assert await driver.scores("marker") == {"0": 0}


# --- obliterating -----------------------------------------------------------------------------------------


async def test_a_queue_whose_workers_hold_jobs(driver: Driver) -> None:
    """It is not touched, unless that is asked for; then it is paused."""
    await driver.add("a", "b")
    await driver.take_one()
    before = await driver.bytes_of_all()
    assert await clearing.begin_obliterating(driver.server, driver.keys, force=False) == 1
    assert await driver.bytes_of_all() == before
    assert await clearing.begin_obliterating(driver.server, driver.keys, force=True) == 0
    assert await driver.take(1) == []


@pytest.mark.parametrize("place", PLACES)
async def test_every_place_is_emptied(driver: Driver, place: str) -> None:
    """The jobs of a place go so many a call, with locks and all, and so do definitions of schedules."""
    ids = [f"j{n}" for n in range(5)]
    await put(driver, place, *ids)
    for wire_id in ids:
        key = driver.keys.base + ("repeat:" if place == "repeat_" else "") + wire_id
        await driver.call("HSET", key, "name", "n")
        await driver.call("SET", driver.keys.job(wire_id) + ":lock", "t", "PX", 1)
    counts = [await clearing.obliterate_jobs(driver.server, driver.keys, place, count=2) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
    left = await driver.call("KEYS", driver.keys.base + "*")
    assert [
        key for key in left if key.endswith(tuple(ids)) and (place != "repeat_" or "repeat:" in key)
    ] == []
    assert await driver.call("EXISTS", driver.keys.key(place)) == 0


async def test_a_queue_with_jobs_keeps_its_keys(driver: Driver) -> None:
    """While there is a job, neither leftovers nor the queue's own keys go."""
    await driver.add("a")
    await driver.call("SET", driver.keys.base + "de:x", "gone")
    before = await driver.bytes_of_all()
    leftovers = [(driver.keys.base + "de:x").encode()]
    assert not await clearing.erase_leftovers(driver.server, driver.keys, leftovers)
    assert not await clearing.finish_obliterating(driver.server, driver.keys)
    assert await driver.bytes_of_all() == before
    await drain(driver, "wait")
    assert await clearing.erase_leftovers(driver.server, driver.keys, leftovers)
    assert await clearing.finish_obliterating(driver.server, driver.keys)
    left = await driver.call("KEYS", f"{driver.keys.prefix}:*")
    assert left == [driver.keys.key("sent") + "s"]
