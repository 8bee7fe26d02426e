"""Recur: a sweep gives every schedule its pending iteration again."""

from __future__ import annotations

import time

import pytest

from corral.engine.record import Verb
from corral.engine.recur import sweep_schedules
from tests.engine.driver import START, Driver, end, new_job
from tests.engine.schedules import Schedules, at, job


async def take_out(driver: Driver, wire_id: str) -> None:
    """The job is in no state any more, and its hash is left."""
    for name in ("wait", "paused", "active"):
        await driver.call("LREM", driver.keys.key(name), 0, wire_id)
    for name in ("delayed", "prioritized"):
        await driver.call("ZREM", driver.keys.key(name), wire_id)


STATES = pytest.mark.parametrize("state", ["waiting", "prioritized", "delayed"])


async def put(schedules: Schedules, state: str) -> str:
    """A schedule whose pending iteration is in a state; its id."""
    later = at(3) if state == "delayed" else None
    opts = '{"priority":7}' if state == "prioritized" else "{}"
    made = await schedules.every(opts=opts, start_ms=later, data="[1]")
    return made.wire_id.decode()


@STATES
async def test_nothing_is_missing(driver: Driver, schedules: Schedules, state: str) -> None:
    """A schedule whose iteration waits, runs, or waits for its next attempt is left as it is."""
    await put(schedules, state)
    await driver.call("SET", driver.keys.key("swept"), driver.now)
    before = await driver.bytes_of_all()
    await schedules.sweep()
    await driver.call("SET", driver.keys.key("swept"), driver.now)
    assert await driver.bytes_of_all() == before


@STATES
@pytest.mark.parametrize("left", ["hash", "nothing"])
async def test_a_lost_iteration(driver: Driver, schedules: Schedules, state: str, left: str) -> None:
    """Whether its hash is left or gone, it waits again where it did, for the same time, with the same content."""
    lost = await put(schedules, state)
    stored = await driver.fields(driver.keys.job(lost))
    await take_out(driver, lost)
    if left == "nothing":
        await driver.call("DEL", driver.keys.job(lost))
    await schedules.sweep()
    await schedules.sweep()
    assert await schedules.pending() == [lost]
    again = await driver.fields(driver.keys.job(lost))
    assert {**again, "opts": ""} == {**stored, "opts": ""}
    assert (await schedules.definition())["ic"] == "1"


async def test_between_the_two_calls_of_a_node_worker(driver: Driver, schedules: Schedules) -> None:
    """An iteration that has begun and has no successor gets one; Node's late call then finds itself too late."""
    await schedules.every()
    notes = await driver.call("EXISTS", driver.keys.key("schedules"))
    assert notes
    await driver.call("LMOVE", driver.keys.key("wait"), driver.keys.key("active"), "RIGHT", "LEFT")
    await driver.call("HSET", driver.keys.job(job(0)), "ats", 1, "processedOn", driver.now)
    await driver.call("SET", driver.keys.job(job(0)) + ":lock", "node")
    await schedules.sweep()
    assert await schedules.pending() == [job(1)]
    assert await driver.active() == [job(0)]
    assert await driver.scores("repeat_") == {"s": at(1)}


async def test_a_missed_one_that_is_to_be_skipped(driver: Driver, schedules: Schedules) -> None:
    """With `skip`, what was lost and is over comes back as the next one."""
    await schedules.every(missed="skip")
    await take_out(driver, job(0))
    await driver.call("DEL", driver.keys.job(job(0)))
    driver.now = at(2.5)
    await schedules.sweep()
    assert await schedules.pending() == [job(3)]


async def test_one_that_waits_for_its_next_attempt(driver: Driver, schedules: Schedules) -> None:
    """The last iteration of an ended schedule is not begun anew while it is tried again."""
    await schedules.every(limit=1)
    await driver.settle(end(await driver.take_one(), Verb.DELAY, "x", amount=10))
    await schedules.sweep()
    assert await driver.scores("delayed") == {job(0): (START + 10) * 4096}


async def test_far_in_a_long_line(driver: Driver, schedules: Schedules) -> None:
    """An iteration deep in a backlog is not taken for lost: there it counts as waiting, and the search is bounded."""
    for first in range(0, 11_000, 500):
        await driver.add(*(f"x{number}" for number in range(first, first + 500)))
    await schedules.every()
    for first in range(0, 11_000, 500):
        await driver.add(*(f"y{number}" for number in range(first, first + 500)))
    began = time.perf_counter()
    await schedules.sweep()
    assert time.perf_counter() - began < 0.5
    assert await schedules.pending() == [job(0)]


async def test_one_worker_sweeps_in_an_interval(driver: Driver, schedules: Schedules) -> None:
    """Another that comes too early is told that there is nothing to do."""
    await schedules.every()
    first = await sweep_schedules(driver.server, driver.keys, b"", interval_ms=30_000, clock=driver.now)
    await take_out(driver, job(0))
    second = await sweep_schedules(driver.server, driver.keys, b"", interval_ms=30_000, clock=driver.now)
    assert first == second == (b"0", [])
    assert await schedules.pending() == []


async def test_a_queue_without_schedules(driver: Driver) -> None:
    """Nothing is written where there are none."""
    await driver.add(new_job("a"))
    before = await driver.bytes_of_all()
    await sweep_schedules(driver.server, driver.keys, b"", interval_ms=30_000, clock=driver.now)
    assert await driver.bytes_of_all() == before


async def test_a_thousand(driver: Driver, schedules: Schedules) -> None:
    """Many schedules are looked at in pages, and all that lost their iterations get them again."""
    for number in range(1000):
        await schedules.every(1, f"s{number}", start_ms=at(5))
    await driver.call("DEL", driver.keys.key("delayed"))
    await driver.call("DEL", driver.keys.key("swept"))
    cursor, pages, slowest = b"", 0, 0.0
    while cursor != b"0":
        began = time.perf_counter()
        cursor, _ = await sweep_schedules(
            driver.server, driver.keys, cursor, interval_ms=30_000, clock=driver.now
        )
        slowest, pages = max(slowest, time.perf_counter() - began), pages + 1
    assert len(await driver.scores("delayed")) == 1000
    assert pages >= 10
    assert slowest < 0.25


async def test_notes_of_what_others_removed(driver: Driver, schedules: Schedules) -> None:
    """A schedule that Node removed leaves no notes behind for long."""
    await schedules.every(1, "kept", start_ms=at(5))
    for number in range(5):
        await schedules.every(1, f"s{number}", start_ms=at(5))
        await driver.call("ZREM", driver.keys.key("repeat_"), f"s{number}")
    await schedules.sweep()
    assert await driver.call("HKEYS", driver.keys.key("schedules")) == ["kept"]


async def test_old_repeatable_jobs(driver: Driver, schedules: Schedules) -> None:
    """Those of BullMQ before schedulers, which a Node worker of their time keeps going, are left alone."""
    await driver.call("ZADD", driver.keys.key("repeat_"), at(-5), "old")
    await driver.call("HSET", f"{driver.keys.base}repeat:old", "name", "n", "every", "1000")
    assert await schedules.sweep() == []
    assert await driver.scores("delayed") == {}
    assert await driver.waiting() == []


async def test_damage(driver: Driver, schedules: Schedules) -> None:
    """A schedule whose keys are not what they should be stops no other."""
    for number, damage in enumerate(["no hash", "no rule", "no job", "notes"]):
        await schedules.every(1, f"s{number}", start_ms=at(5))
        key, wire_id = f"{driver.keys.base}repeat:s{number}", driver.keys.job(job(5, f"s{number}"))
        if damage == "no hash":
            await driver.call("SET", key, "x")
        elif damage == "no rule":
            await driver.call("HDEL", key, "every")
        elif damage == "no job":
            await driver.call("SET", wire_id, "x")
        else:
            await driver.call("HSET", driver.keys.key("schedules"), f"s{number}", "\xc1 nothing packed")
    await schedules.every(1, "well", start_ms=at(5))
    await driver.call("DEL", driver.keys.key("delayed"))
    await schedules.sweep()
    assert await schedules.pending("well") == [job(5, "well")]
