"""Recur: a schedule that another program has damaged costs at most itself, and can be made anew."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from corral.engine.recur import list_schedules
from corral.engine.recur_rules import snapshot
from tests.engine.driver import Driver
from tests.engine.schedules import MINUTE, Schedules, at, job

Damage = Callable[[Driver], Awaitable[Any]]


def in_hash(*words: Any) -> Damage:
    """Fields of the schedule's hash."""
    return lambda driver: driver.call("HSET", f"{driver.keys.base}repeat:s", *words)


def in_job(*words: Any) -> Damage:
    """Fields of the pending iteration."""
    return lambda driver: driver.call("HSET", driver.keys.job(job(1)), *words)


def in_opts(text: str) -> Damage:
    """The options of the pending iteration, and those of the schedule."""

    async def damage(driver: Driver) -> None:
        await in_job("opts", text)(driver)
        await in_hash("opts", text)(driver)

    return damage


def score(value: Any) -> Damage:
    """The time of the pending iteration in `repeat`."""
    return lambda driver: driver.call("ZADD", driver.keys.key("repeat_"), value, "s")


def notes(value: Any) -> Damage:
    """What Corral notes of the schedule."""
    return lambda driver: driver.call("EVAL", PACK, 1, driver.keys.key("schedules"), json.dumps(value))


def other_type(name: str) -> Damage:
    """A key holds something of another type."""

    async def damage(driver: Driver) -> None:
        key = {"hash": f"{driver.keys.base}repeat:s", "job": driver.keys.job(job(1))}.get(name)
        key = key or driver.keys.key(name)
        await driver.call("DEL", key)
        await driver.call("SET", key, "x")

    return damage


PACK = "redis.call('HSET', KEYS[1], 's', cmsgpack.pack(cjson.decode(ARGV[1])))"
NESTED = '{"a":' * 999 + "1" + "}" * 999
HOSTILE = ["x", "nan", "inf", "-1e300", "-5", "0", "0.4", "9e15", "\xff"]
NOTED = [{}, [1, "x"], "x", -1, 0.5, float("inf"), float("nan"), True]
NAMES = ["missed", "missed_limit", "overlap", "rule", "since", "times", "complete", "begun", "running"]
DAMAGES: dict[str, Damage] = {
    **{f"{field} {value!r}": in_hash(field, value)
       for field in ("ic", "every", "offset", "limit", "startDate", "endDate") for value in HOSTILE},
    **{f"pattern {value!r}": in_hash("pattern", value) for value in ("", "x", "\xff")},
    **{f"score {value}": score(value) for value in ("inf", "-inf", -5, 0, at(1) + 0.5, 1e300, -1e300, 2**53)},
    **{f"options {text[:20]}": in_opts(text) for text in (
        "{", "[1]", "5", "null", NESTED, '{"a":NaN,"attempts":3}', '{"repeat":{"count":1e999,"x":NaN}}',
        '{"repeat":{"count":"many"}}', '{"repeat":{"count":-1e300}}', '{"repeat":[1]}', '{"priority":1e999}',
        '{"priority":-1}', '{"priority":1e300}', '{"priority":{}}', '{"de":{"id":{}}}', '{"de":{"id":NaN}}',
        '{"de":7}', '{"lifo":7}', '{"removeOnFail":{"count":1e999,"age":{}}}')},
    **{f"the job's priority {value}": in_job("priority", value) for value in HOSTILE},
    **{f"notes {name} {value!r}": notes({"missed": "run_all", "overlap": "cancel_running", name: value})
       for name in [*NAMES, "made_before"] for value in NOTED},
    "notes that hold times of no order": notes({"rule": "* * * * *\nUTC\n\n", "since": 0, "times": [9, "x", -1]}),
    "notes that are not packed": lambda driver: driver.call("HSET", driver.keys.key("schedules"), "s", "\xc1"),
    "notes that are none": notes([1, 2]),
    "no notes": lambda driver: driver.call("HDEL", driver.keys.key("schedules"), "s"),
    **{f"{name} of another type": other_type(name) for name in ("hash", "job", "schedules", "id")},
    "no rule": lambda driver: driver.call("HDEL", f"{driver.keys.base}repeat:s", "every", "pattern"),
}  # fmt: skip
each_damage = pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
each_kind = pytest.mark.parametrize("kind", ["every", "cron"])


async def make(schedules: Schedules, kind: str) -> None:
    """One schedule to damage and one beside it, both due in a minute, and a plain job."""
    for schedule_id in ("s", "well"):
        if kind == "every":
            await schedules.every(1, schedule_id, start_ms=at(1), overlap="cancel_running")
        else:
            await schedules.cron(schedule_id, overlap="cancel_running")
    await schedules.driver.add("a")


@each_kind
@each_damage
async def test_a_claim(driver: Driver, schedules: Schedules, kind: str, damage: Damage) -> None:
    """Its iteration runs, unless nobody can read that job; the jobs beside it run, and their schedule goes on."""
    await make(schedules, kind)
    await damage(driver)
    for minute in range(1, 4):
        driver.now = at(minute)
        started = await schedules.claim()
        assert job(minute, "well") in started
        assert minute > 1 or {"a", job(1)} <= {*started, *(await driver.scores("failed"))}
        if "well" in await schedules.sweep():
            await schedules.prepare("well")
        page = await list_schedules(driver.server, driver.keys, clock=driver.now)
        for row in page.schedules:
            snapshot("q", row).upcoming(3)


@each_damage
async def test_a_sweep(driver: Driver, schedules: Schedules, damage: Damage) -> None:
    """Other schedules that have lost their iterations get them again."""
    await make(schedules, "cron")
    await damage(driver)
    await driver.call("DEL", driver.keys.key("delayed"))
    driver.now = at(0.5)
    for _ in range(2):
        await schedules.sweep()
        assert await schedules.pending("well") == [job(1, "well")]


@each_kind
@each_damage
async def test_storing_it_again(driver: Driver, schedules: Schedules, kind: str, damage: Damage) -> None:
    """It is whole again: its iteration runs, and the next one follows."""
    await make(schedules, kind)
    await damage(driver)
    driver.now = at(0.5)
    due = (await (schedules.every() if kind == "every" else schedules.cron())).due
    seen = snapshot("q", await schedules.read())
    assert (dict(seen.malformed), seen.next_ms) == ({}, due)
    assert await driver.scores("repeat_") == {"s": due, "well": at(1)}
    driver.now = due
    assert f"repeat:s:{due}" in await schedules.claim()
    assert f"repeat:s:{due + MINUTE}" in await schedules.pending()


@each_damage
async def test_removal(driver: Driver, schedules: Schedules, damage: Damage) -> None:
    """Nothing of it is left but what it had run."""
    await make(schedules, "every")
    await damage(driver)
    await schedules.remove()
    assert await driver.scores("repeat_") == {"well": at(1)}
    assert await driver.call("EXISTS", f"{driver.keys.base}repeat:s") == 0
