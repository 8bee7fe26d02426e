"""Rules as values become schedules in Redis, and are read back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from corral.contracts.codec import JSON_CODEC
from corral.contracts.duration import instant
from corral.contracts.producer import ScheduleRequest
from corral.contracts.schedule import Cron, Every, Repeat, RunAll
from corral.contracts.schedule_snapshot import Schedule
from corral.engine.recur import StoredSchedule, read_schedule
from corral.engine.recur_rules import read_rule, snapshot, store_schedule
from corral.errors import InvalidSchedule, ScheduleTaken
from tests.engine.driver import START, Driver

BEGIN = instant(START)
RULES: list[Repeat] = [
    Cron("0 9 * * 1-5", tz="Europe/Berlin"),
    Cron(
        "@daily",
        start=BEGIN,
        end=BEGIN + timedelta(days=99),
        limit=10,
        missed="skip",
        overlap="cancel_running",
    ),
    Every(minutes=5, offset=0, missed=RunAll(7), overlap="skip"),
    Every(hours=1, offset=timedelta(seconds=90), start=BEGIN, end=BEGIN + timedelta(days=9), limit=2),
]


async def stored(driver: Driver, rule: Repeat, **rest: Any) -> StoredSchedule:
    """What is stored for a rule."""
    request = ScheduleRequest(driver.keys.queue, "s", rule, "n", b'{"a":1}', '{"attempts":3}', JSON_CODEC)
    await store_schedule(driver.server, driver.keys, request._replace(**rest), clock=driver.now)
    _, found = await read_schedule(driver.server, driver.keys, "s", clock=driver.now)
    assert found is not None
    return found


@pytest.mark.parametrize("rule", RULES)
async def test_a_rule_is_read_as_it_was_stored(driver: Driver, rule: Repeat) -> None:
    """All of it, with its policies; and the pending run is the rule's first one."""
    found = await stored(driver, rule)
    assert read_rule(found) == rule
    assert found.next_run == rule.first_run(driver.now)


async def test_what_begins_now_goes_on_from_then(driver: Driver) -> None:
    """An interval without a grid gets that of its first run; ``immediately`` is forgotten after the first one."""
    assert read_rule(await stored(driver, Every(minutes=5))) == Every(
        minutes=5, offset=timedelta(milliseconds=START % 300_000)
    )
    found = await stored(driver, Cron("@daily", immediately=True), schedule_id="s")
    assert (found.next_run, read_rule(found)) == (driver.now, Cron("@daily"))


async def test_a_snapshot(driver: Driver) -> None:
    """Everything that an operator sees."""
    seen = snapshot("q", await stored(driver, Every(minutes=5, offset=0, limit=3)))
    assert seen == Schedule(
        id="s",
        queue="q",
        name="n",
        rule=Every(minutes=5, offset=0, limit=3),
        next_run=BEGIN + timedelta(minutes=5),
        iterations=1,
        data={"a": 1},
        opts=seen.opts,
    )
    assert seen.opts.attempts == 3


async def test_what_cannot_be_read_is_noted(driver: Driver) -> None:
    """A snapshot never fails: operators have to see broken schedules, of all things."""
    await stored(driver, Every(minutes=5))
    broken = {"pattern": "H H * * *", "data": "{", "opts": "["}
    await driver.call(
        "HSET", f"{driver.keys.base}repeat:s", *(word for pair in broken.items() for word in pair)
    )
    _, found = await read_schedule(driver.server, driver.keys, "s", clock=driver.now)
    assert found is not None
    seen = snapshot("q", found)
    assert seen.rule is None
    assert set(seen.malformed) == {"rule", "data", "opts"}
    assert "pattern" in seen.malformed["rule"]


async def test_what_would_never_run_is_refused(driver: Driver) -> None:
    """When no run is left before the end."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    for rule in (Cron("@daily", end=past), Every(minutes=5, end=past)):
        with pytest.raises(InvalidSchedule, match="no run is left") as caught:
            await stored(driver, rule)
        assert caught.value.field == "end"
    assert await driver.call("EXISTS", driver.keys.key("repeat_")) == 0


async def test_a_next_run_that_exists_is_an_error(driver: Driver) -> None:
    """The job of a pattern's next run is there already, and has begun."""
    due = (await stored(driver, Cron("@daily"))).next_run
    await driver.call("DEL", driver.keys.key("repeat_"), driver.keys.key("delayed"))
    await driver.call("HSET", driver.keys.job(f"repeat:s:{due}"), "ats", 1)
    with pytest.raises(ScheduleTaken, match="remove that job"):
        await stored(driver, Cron("@daily"))
