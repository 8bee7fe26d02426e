"""Recur: the step that starts an iteration makes the next one (§23)."""

from __future__ import annotations

import pytest

from corral.engine.record import Verb
from corral.engine.recur import prepare_schedule
from tests.engine.driver import START, Driver, end, held
from tests.engine.schedules import AHEAD, MINUTE, Schedules, at, each_minute, job


class TestNext:
    """The iteration after the one that starts."""

    async def test_as_node_makes_it(self, driver: Driver, schedules: Schedules) -> None:
        """It has the schedule's name and data and the options of the one before, counted on; events as Node's."""
        opts = '{"attempts":5,"removeOnFail":{"age":10},"priority":2}'
        await schedules.every(data='{"a":1}', opts=opts, limit=9, end_ms=at(60))
        await driver.call("HSET", f"{driver.keys.base}repeat:s", "name", "m", "data", '{"a":2}')
        await driver.forget_events()
        driver.now += 250
        assert await schedules.claim() == [job(0)]
        stored = await schedules.job(1)
        assert {name: value for name, value in stored.items() if name != "opts"} == {
            "name": "m", "data": '{"a":2}', "timestamp": str(driver.now), "delay": str(MINUTE - 250),
            "priority": "2", "rjk": "s",
        }  # fmt: skip
        assert await schedules.opts(1) == {
            "attempts": 5, "removeOnFail": {"age": 10}, "priority": 2, "repeatJobKey": "s", "delay": MINUTE - 250,
            "timestamp": driver.now, "jobId": job(1),
            "repeat": {"every": MINUTE, "count": 2, "limit": 9, "endDate": at(60)},
        }  # fmt: skip
        assert (await schedules.definition())["ic"] == "2"
        assert await driver.scores("repeat_") == {"s": at(1)}
        assert await driver.events("added", "delayed") == [
            {"event": "added", "jobId": job(1), "name": "m"},
            {"event": "delayed", "jobId": job(1), "delay": str(at(1))},
        ]

    async def test_of_a_pattern(self, schedules: Schedules, driver: Driver) -> None:
        """It is the next prepared time, and knows its own as the time before the next."""
        await schedules.cron(tz="Europe/Rome")
        driver.now = at(1)
        assert await schedules.claim() == [job(1)]
        opts = await schedules.opts(2)
        assert (opts["prevMillis"], opts["repeat"]) == (
            at(2), {"pattern": "* * * * *", "tz": "Europe/Rome", "count": 2},
        )  # fmt: skip

    async def test_in_a_settlement(self, schedules: Schedules, driver: Driver) -> None:
        """The claim that travels with an outcome does the same."""
        await schedules.every(opts='{"removeOnComplete":true}')
        run = await driver.take_one()
        for minute in range(1, 20):
            driver.now = at(minute)
            claim = driver.a_claim(1)
            committed = await driver.commit(end(run, keep=0), claim=claim)
            (run,) = held(claim.token, committed.jobs)
            assert run.wire_id == job(minute)
            assert await schedules.pending() == [job(minute + 1)]
        assert (await schedules.definition())["ic"] == "21"

    async def test_once(self, schedules: Schedules, driver: Driver) -> None:
        """A second attempt, a recovered run, and an iteration from before a change make no other successor."""
        await schedules.every(opts='{"attempts":3}')
        run = await driver.take_one()
        await driver.settle(end(run, Verb.RETRY, "again"))
        assert await schedules.claim() == [job(0)]
        await driver.lose_lock(job(0))
        await driver.check_stalled()
        await driver.check_stalled()
        await schedules.every(5)
        assert await schedules.claim() == [job(0)]
        assert await schedules.pending() == [job(5)]

    async def test_a_claim_sent_again(self, schedules: Schedules, driver: Driver) -> None:
        """A claim whose reply was lost gives the same jobs, makes nothing more, and names their schedules."""
        await schedules.cron()
        driver.now = at(1)
        claim = driver.a_claim(5, "w", 1)
        first = await driver.claim(claim)
        before = await driver.bytes_of_all()
        again = await driver.claim(claim)
        assert (again.jobs, again.unprepared) == (first.jobs, [b"s"])
        assert await driver.bytes_of_all() == before

    async def test_when_its_id_is_taken(self, schedules: Schedules, driver: Driver) -> None:
        """An interval steps to its next free time; a pattern says so, and a sweep mends it when that time is over."""
        await schedules.every()
        await schedules.cron("c")
        await driver.call("HSET", driver.keys.job(job(1)), "name", "n", "finishedOn", 1, "ats", 1)
        await driver.call("HSET", driver.keys.job(job(2, "c")), "name", "n", "finishedOn", 1, "ats", 1)
        driver.now = at(1)
        assert set(await schedules.claim()) == {job(0), job(1, "c")}
        assert await schedules.pending() == [job(2)]
        assert await schedules.pending("c") == []
        assert {"event": "duplicated", "jobId": job(2, "c")} in await driver.events()
        driver.now = at(2)
        await schedules.sweep()
        assert await schedules.pending("c") == [job(3, "c")]

    async def test_a_taken_next_time_of_one_that_is_not_kept(
        self, schedules: Schedules, driver: Driver
    ) -> None:
        """An iteration that ran while its successor's id was taken, and is removed at its end, is not run again."""
        await schedules.cron(opts='{"removeOnComplete":true}')
        await driver.call("HSET", driver.keys.job(job(2)), "name", "n", "finishedOn", 1, "ats", 1)
        driver.now = at(1)
        await driver.settle(end(await driver.take_one(), keep=0))
        for minute in (1, 1.5):
            driver.now = at(minute)
            await schedules.sweep()
            assert await schedules.pending() == []
        driver.now = at(2)
        await schedules.sweep()
        assert await schedules.pending() == [job(3)]
        assert (await schedules.opts(3))["repeat"]["count"] == 2

    async def test_no_job_of_a_schedule_that_is_gone(self, schedules: Schedules, driver: Driver) -> None:
        """An iteration that outlived its schedule runs, and has no successor."""
        await schedules.every()
        await driver.call("DEL", driver.keys.key("repeat_"), f"{driver.keys.base}repeat:s")
        assert await schedules.claim() == [job(0)]
        assert await schedules.pending() == []

    async def test_damaged_options(self, schedules: Schedules, driver: Driver) -> None:
        """Options that are no JSON stop neither the claim nor the chain."""
        await schedules.every()
        await driver.call("HSET", driver.keys.job(job(0)), "opts", "{")
        assert await schedules.claim() == [job(0)]
        assert await schedules.pending() == [job(1)]


class TestEnd:
    """A schedule ends as in Node: the entry stays, nothing is pending."""

    async def test_limit(self, schedules: Schedules, driver: Driver) -> None:
        """So many iterations, and no more."""
        await schedules.cron(limit=3)
        for minute in (1, 2, 3, 4, 5):
            driver.now = at(minute)
            assert await schedules.claim() == ([job(minute)] if minute <= 3 else [])
            await schedules.sweep()
        assert await driver.scores("repeat_") == {"s": at(3)}
        assert (await schedules.read()).ended

    @pytest.mark.parametrize("kept", [-1, 0], ids=["kept", "trimmed"])
    @pytest.mark.parametrize("kind", ["every", "cron"])
    async def test_end_date(self, schedules: Schedules, driver: Driver, kind: str, kept: int) -> None:
        """No run after the end date; a trimmed last run is not taken for one that was lost."""
        make = schedules.every if kind == "every" else schedules.cron
        driver.now = at(0.5)
        await make(end_ms=at(2.75))
        ran = []
        for _ in range(12):
            for run in await driver.take(5):
                ran.append(run.wire_id)
                await driver.settle(end(run, keep=kept))
            await schedules.sweep()
            driver.now += MINUTE // 4
        times = (0.5, 1.5, 2.5) if kind == "every" else (1, 2)
        assert ran == [job(minute) for minute in times]
        assert (await schedules.read()).ended


class TestPreparedTimes:
    """A cron pattern goes on by itself as far as its times are prepared."""

    async def test_they_are_asked_for_in_time(self, schedules: Schedules, driver: Driver) -> None:
        """A claim that leaves few names the schedule; with more it is quiet again. No iteration has to wait."""
        await schedules.cron()
        asked = []
        for minute in range(1, AHEAD + 1):
            driver.now = at(minute)
            if await schedules.wanting():
                asked.append(minute)
        assert asked == [8, 9, 10, 11, 12]
        assert await schedules.prepare(since=at(AHEAD))
        assert await schedules.pending() == [job(AHEAD + 1)]
        driver.now = at(AHEAD + 1)
        assert await schedules.wanting() == []

    async def test_none(self, schedules: Schedules, driver: Driver) -> None:
        """A schedule of Node's has none: the iteration runs, and the next is made as soon as they are there."""
        await schedules.cron()
        await driver.call("DEL", driver.keys.key("schedules"))
        driver.now = at(1)
        assert await schedules.wanting() == ["s"]
        assert (await driver.active(), await schedules.pending()) == ([job(1)], [])
        assert await schedules.prepare()
        assert await schedules.pending() == [job(2)]
        assert (await schedules.opts(2))["repeat"]["count"] == 2

    async def test_for_another_rule(self, schedules: Schedules, driver: Driver) -> None:
        """Times that were computed before the pattern was changed are not used, nor stored."""
        await schedules.cron()
        row = await schedules.read()
        await driver.call("HSET", f"{driver.keys.base}repeat:s", "pattern", "0 * * * *")
        driver.now = at(1)
        assert await schedules.wanting() == ["s"]
        assert not await prepare_schedule(
            driver.server, driver.keys, "s", row.rule, each_minute(driver.now), clock=driver.now
        )
        assert await schedules.pending() == []

    async def test_after_a_long_stop(self, schedules: Schedules, driver: Driver) -> None:
        """When all times have passed, the run that was missed is made up for once, and new times are wanted."""
        await schedules.cron()
        driver.now = at(500)
        assert await schedules.wanting() == ["s"]
        assert await driver.active() == [job(1)]
        assert await schedules.prepare()
        assert await schedules.pending() == [job(501)]

    async def test_whoever_ends_first(self, schedules: Schedules, driver: Driver) -> None:
        """The iteration may be finished and gone before its successor is made: it is not run twice."""
        await schedules.cron()
        await driver.call("DEL", driver.keys.key("schedules"))
        driver.now = at(1)
        await driver.settle(end(await driver.take_one(), keep=0))
        assert await schedules.sweep() == ["s"]
        assert await schedules.prepare()
        assert await schedules.pending() == [job(2)]


async def test_jobs_without_a_schedule_pay_nothing(schedules: Schedules, driver: Driver) -> None:
    """A claim of plain jobs reads nothing of schedules, though the queue has some."""
    await schedules.every(start_ms=at(9))
    await driver.add("a", "b")
    await driver.call("CONFIG", "RESETSTAT")
    await driver.take(2)
    told = await driver.call("INFO", "commandstats")
    assert "cmdstat_zscore" not in told
    assert "cmdstat_hget:" not in told


def test_the_clock() -> None:
    """The tests' minutes are full ones."""
    assert START % MINUTE == 0
