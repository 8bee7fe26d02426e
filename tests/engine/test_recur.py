"""Recur: making, changing and removing schedules. Each has exactly one pending iteration (§23)."""

from __future__ import annotations

import asyncio

import pytest

from corral.engine.control import promote_jobs
from corral.engine.link import Link
from corral.engine.record import Verb
from corral.engine.recur import ScheduleRefusal, list_schedules, read_schedule
from corral.engine.script import load
from tests.engine.driver import START, Driver, end
from tests.engine.schedules import MINUTE, Schedules, at, job


class TestWhatIsStored:
    """The hash, the score and the job are those that Node writes, field by field."""

    async def test_an_interval(self, driver: Driver, schedules: Schedules) -> None:
        """The first run is now; the grid follows from it."""
        driver.now = START + 29_994
        opts = '{"attempts":5,"removeOnFail":7,"priority":3}'
        assert await schedules.every(data='{"a":1}', opts=opts) == (
            f"repeat:s:{START + 29_994}".encode(),
            START + 29_994,
        )
        assert await schedules.definition() == {
            "name": "n", "every": "60000", "offset": "29994", "ic": "1", "data": '{"a":1}', "opts": opts,
        }  # fmt: skip
        stored = await driver.fields(driver.keys.job(f"repeat:s:{START + 29_994}"))
        assert {name: value for name, value in stored.items() if name != "opts"} == {
            "name": "n", "data": '{"a":1}', "timestamp": str(driver.now), "delay": "0", "priority": "3", "rjk": "s",
        }  # fmt: skip
        assert await schedules.opts(29_994 / MINUTE) == {
            "attempts": 5, "removeOnFail": 7, "priority": 3, "repeatJobKey": "s", "delay": 0,
            "timestamp": driver.now, "jobId": f"repeat:s:{driver.now}", "repeat": {"every": 60_000, "count": 1},
        }  # fmt: skip
        assert await driver.scores("repeat_") == {"s": driver.now}
        assert await driver.scores("prioritized") == {f"repeat:s:{driver.now}": 3 * 2**32 + 1}

    async def test_a_pattern(self, driver: Driver, schedules: Schedules) -> None:
        """The first run is the next time of the pattern; a bound stands in both hashes, empty data in neither."""
        driver.now += 1
        await schedules.cron(limit=3, end_ms=at(60), start_ms=START)
        bounds = {"limit": 3, "endDate": at(60), "startDate": START}
        assert await schedules.definition() == {
            "name": "n", "pattern": "* * * * *", "tz": "UTC", "offset": "0", "ic": "1",
            **{name: str(value) for name, value in bounds.items()},
        }  # fmt: skip
        assert await schedules.opts(1) == {
            "prevMillis": at(1), "repeatJobKey": "s", "jobId": job(1), "timestamp": driver.now, "delay": MINUTE - 1,
            "repeat": {"pattern": "* * * * *", "tz": "UTC", "count": 1, **bounds},
        }  # fmt: skip
        assert (await schedules.job(1))["data"] == "{}"
        assert await driver.scores("delayed") == {job(1): at(1) * 4096}

    async def test_events(self, driver: Driver, schedules: Schedules) -> None:
        """A schedule says what Node says: added, and where to. Replacing says no more; removing, removed."""
        await schedules.every()
        await schedules.every(2, start_ms=at(1))
        await schedules.remove()
        assert await driver.events() == [
            {"event": "added", "jobId": job(0), "name": "n"},
            {"event": "waiting", "jobId": job(0)},
            {"event": "added", "jobId": job(1), "name": "n"},
            {"event": "delayed", "jobId": job(1), "delay": str(at(1))},
            {"event": "removed", "jobId": job(1), "prev": "delayed"},
        ]

    async def test_a_new_queue(self, driver: Driver, schedules: Schedules) -> None:
        """A queue that begins with a schedule is listed, and its ids are counted as Node counts them."""
        await schedules.every()
        await schedules.every(6)
        meta = await driver.fields(driver.keys.key("meta"))
        assert meta == {"opts.maxLenEvents": "10000", "version": "corral"}
        assert await driver.call("GET", driver.keys.key("id")) == "2"


class TestFirstRun:
    """When the first run of a new schedule is."""

    async def test_at_the_start(self, schedules: Schedules) -> None:
        """Not before the start date; one that has passed is now."""
        assert (await schedules.every(start_ms=at(7))).due == at(7)
        assert (await schedules.every(schedule_id="t", start_ms=at(-7))).due == at(0)
        assert (await schedules.cron("u", start_ms=at(7) + 1)).due == at(8)

    async def test_on_the_grid(self, driver: Driver, schedules: Schedules) -> None:
        """With an offset the first run is the next time of the grid."""
        assert (await schedules.every(5, offset_ms=MINUTE)).due == at(1)
        driver.now = at(1)
        assert (await schedules.every(5, "t", offset_ms=MINUTE)).due == at(6)
        driver.now = at(2)
        assert (await schedules.every(5, "u", offset_ms=0)).due == at(5)
        assert (await schedules.every(5, "v", offset_ms=MINUTE, start_ms=at(7))).due == at(11)
        assert (await schedules.every(5, "w", offset_ms=MINUTE, start_ms=at(11))).due == at(11)

    async def test_immediately(self, driver: Driver, schedules: Schedules) -> None:
        """A new pattern runs now if asked to, and from then on when it says. A copy that says the same changes
        nothing: replicas that start one after the other make one first run."""
        driver.now += 5
        assert (await schedules.cron(immediately=True)).due == START + 5
        driver.now += 5
        assert (await schedules.cron(immediately=True)).due == START + 5
        assert await schedules.claim() == [f"repeat:s:{START + 5}"]
        assert (await schedules.cron(immediately=True)).due == at(1)
        assert (await schedules.cron(immediately=True, tz="Europe/Rome")).due == driver.now

    async def test_never(self, driver: Driver, schedules: Schedules) -> None:
        """What would never run is refused, and nothing is changed."""
        before = await driver.bytes_of_all()
        for refused in (schedules.cron(end_ms=START + 5), schedules.every(start_ms=at(5), end_ms=at(4))):
            with pytest.raises(ScheduleRefusal) as caught:
                await refused
            assert caught.value.code == -12
        assert await driver.bytes_of_all() == before


class TestUpsertOverItself:
    """An existing schedule."""

    @pytest.mark.parametrize("state", ["waiting", "prioritized", "delayed", "paused", "parked"])
    async def test_the_pending_iteration_is_replaced(
        self, driver: Driver, schedules: Schedules, state: str
    ) -> None:
        """Wherever it waits, also while the queue is paused in either way, there is one afterwards."""
        if state in ("paused", "parked"):
            version = "bullmq:5.81.3" if state == "parked" else "bullmq:6.7.0"
            await driver.call("HSET", driver.keys.key("meta"), "paused", 1, "version", version)
        later = at(3) if state == "delayed" else None
        opts = '{"priority":1}' if state == "prioritized" else "{}"
        await driver.add("other")
        await schedules.every(1, opts=opts, start_ms=later)
        await driver.add("another")
        await schedules.every(2, opts=opts, start_ms=later, data='{"new":1}')
        (pending,) = await schedules.pending()
        assert (await driver.fields(driver.keys.job(pending)))["data"] == '{"new":1}'
        assert await driver.scores("repeat_") == {"s": int(pending.rpartition(":")[2])}
        lines = [await driver.call("LRANGE", driver.keys.key(name), 0, -1) for name in ("wait", "paused")]
        assert {"other", "another"} <= {wire_id for line in lines for wire_id in line}

    async def test_the_rule_unchanged(self, driver: Driver, schedules: Schedules) -> None:
        """The time of the pending iteration is kept, its name, data and options are new."""
        await schedules.every(5, start_ms=at(3))
        driver.now = at(2)
        assert (await schedules.every(5, start_ms=at(3), name="m", opts='{"attempts":2}')).due == at(3)
        assert ((await schedules.job(3))["name"], (await schedules.opts(3))["attempts"]) == ("m", 2)
        assert await schedules.pending() == [job(3)]

    @pytest.mark.parametrize("kind", ["every", "cron"])
    async def test_nothing_changed(self, driver: Driver, schedules: Schedules, kind: str) -> None:
        """Not a byte is changed, and what somebody did to the pending iteration stays: a promotion, another payload."""
        upsert = schedules.every if kind == "every" else schedules.cron
        first = await upsert(start_ms=at(3), data="[1]", limit=5)
        await promote_jobs(driver.server, driver.keys, [first.wire_id])
        await driver.call("HSET", driver.keys.base.encode() + first.wire_id, "data", "[2]")
        before = await driver.bytes_of_all()
        driver.now = at(1)
        assert await upsert(start_ms=at(3), data="[1]", limit=5) == first
        assert await driver.bytes_of_all() == before
        assert await driver.waiting() == [first.wire_id.decode()]

    async def test_one_that_is_due_is_not_lost(self, driver: Driver, schedules: Schedules) -> None:
        """A run that was missed is still made up for when a new release stores its schedules again."""
        await schedules.cron()
        driver.now = at(30)
        assert (await schedules.cron()).due == at(1)
        assert await schedules.claim() == [job(1)]

    async def test_changed(self, driver: Driver, schedules: Schedules) -> None:
        """Another interval begins anew, another pattern with its next time."""
        await schedules.every(5, start_ms=at(3))
        driver.now = START + 7
        assert (await schedules.every(4)).due == START + 7
        assert (await schedules.definition())["offset"] == str((START + 7) % (4 * MINUTE))
        assert (await schedules.cron()).due == at(1)
        assert await schedules.pending() == [job(1)]
        assert "every" not in await schedules.definition()

    async def test_while_an_iteration_runs(self, driver: Driver, schedules: Schedules) -> None:
        """The run goes on; the one after it is replaced."""
        await schedules.every()
        run = await driver.take_one()
        await schedules.every(data="[1]")
        assert await driver.active() == [run.wire_id]
        assert await schedules.pending() == [job(1)]
        assert (await schedules.definition())["ic"] == "2"

    async def test_the_same_again(self, driver: Driver, schedules: Schedules) -> None:
        """A replica that starts later and says the same does not begin a limited schedule anew; a change does."""
        await schedules.every(limit=3)
        assert await schedules.claim() == [job(0)]
        await schedules.every(limit=3)
        assert (await schedules.read()).number == 2
        driver.now = at(1)
        assert await schedules.claim() == [job(1)]
        await schedules.every(limit=3)
        driver.now = at(2)
        assert await schedules.claim() == [job(2)]
        assert await schedules.pending() == []
        assert (await schedules.read()).ended
        await schedules.every(2, limit=3)
        assert (await schedules.read()).number == 1

    @pytest.mark.parametrize("held_by", ["node", "nobody"])
    async def test_where_none_is_pending(self, driver: Driver, schedules: Schedules, held_by: str) -> None:
        """The count goes on also where the pending iteration has just begun in another program, which has not made
        the next one yet, or where somebody has removed it."""
        await schedules.every(limit=3)
        assert await schedules.claim() == [job(0)]
        driver.now = at(1)
        await driver.claim(driver.a_claim(0))
        if held_by == "node":
            await driver.call("LMOVE", driver.keys.key("wait"), driver.keys.key("active"), "RIGHT", "LEFT")
            await driver.call("HSET", driver.keys.job(job(1)), "ats", 1)
        else:
            await driver.call("DEL", driver.keys.key("wait"), driver.keys.job(job(1)))
        await schedules.every(limit=3)
        assert (await schedules.read()).number == (3 if held_by == "node" else 2)
        begun = []
        for minute in range(2, 9):
            driver.now = at(minute)
            begun += await schedules.claim()
        assert len(begun) == (1 if held_by == "node" else 2)
        assert (await schedules.read()).ended

    @pytest.mark.parametrize("change", ["upsert", "remove"])
    async def test_the_last_one_waits_for_its_next_attempt(
        self, driver: Driver, schedules: Schedules, change: str
    ) -> None:
        """It has begun, so it goes on with the attempts it has spent, whatever becomes of its schedule."""
        await schedules.every(limit=1, opts='{"attempts":2}')
        await driver.settle(end(await driver.take_one(), Verb.DELAY, "x", amount=10))
        before = await schedules.job(0)
        if change == "upsert":
            await schedules.every(limit=1, opts='{"attempts":2}', data="[1]")
            assert await schedules.pending() == [job(1)]
        else:
            assert await schedules.remove()
        assert await schedules.job(0) == before
        driver.now += 10
        assert await schedules.claim() == [job(0)]

    async def test_after_the_end(self, driver: Driver, schedules: Schedules) -> None:
        """A schedule that has ended begins again, and counts anew."""
        await schedules.every(limit=1)
        assert await schedules.claim() == [job(0)]
        assert (await schedules.read()).ended
        await schedules.every(limit=1)
        assert await schedules.pending() == [job(1)]
        driver.now = at(1)
        assert await schedules.claim() == [job(1)]
        assert await schedules.pending() == []

    async def test_taken_times(self, driver: Driver, schedules: Schedules) -> None:
        """Where a job has the id already, an interval steps on, a pattern is refused."""
        for minute in range(3):
            await driver.add(job(minute))
        assert (await schedules.every()).due == at(3)
        with pytest.raises(ScheduleRefusal) as caught:
            await schedules.cron("s")
        assert caught.value.code == -10
        for minute in range(40):
            await driver.call("HSET", driver.keys.job(job(minute, "t")), "name", "n")
        with pytest.raises(ScheduleRefusal) as caught:
            await schedules.every(1, "t")
        assert caught.value.code == -11


async def test_sent_again(driver: Driver, schedules: Schedules) -> None:
    """A call whose reply was lost is recognised, and answered as before: nothing is done twice."""
    words = ("s", "n", "{}", "{}", "", "", 60_000, "", "", "", "", 0, "run_once", 1, "allow", 0, 0, 0)

    async def call() -> object:
        script, keys = load("recur/upsert_schedule"), driver.keys
        return await driver.link.run(script, keys, keys.base, driver.now, "me", 1, "corral", *words)

    first = await call()
    assert await schedules.claim() == [job(0)]
    before = await driver.bytes_of_all()
    assert await call() == first
    assert await driver.bytes_of_all() == before


async def test_deep_in_a_long_line(driver: Driver, schedules: Schedules) -> None:
    """A pending iteration in the middle of a long line is found in steps, replaced, and removed."""

    async def fill() -> None:
        for first in range(0, 120_000, 2000):
            await driver.call("LPUSH", driver.keys.key("wait"), *range(first, first + 2000))

    await fill()
    await schedules.every(1)
    await fill()
    await schedules.every(2)
    (pending,) = await schedules.pending()
    await fill()
    assert await schedules.remove()
    assert await schedules.pending() == []
    assert await driver.call("EXISTS", driver.keys.job(pending)) == 0
    assert await driver.call("LLEN", driver.keys.key("wait")) == 360_000


async def test_removal(driver: Driver, schedules: Schedules) -> None:
    """A removed schedule leaves nothing that would run, nor notes; removing it again says that there was none."""
    for number, opts in enumerate(("{}", '{"priority":1}')):
        await schedules.every(1, f"w{number}", opts=opts)
        assert await schedules.remove(f"w{number}")
        assert await schedules.pending(f"w{number}") == []
    assert not await schedules.remove("w0")
    assert await driver.call("EXISTS", driver.keys.key("repeat_"), driver.keys.key("schedules")) == 0
    assert await schedules.claim() == []


async def test_a_run_outlives_its_schedule(driver: Driver, schedules: Schedules) -> None:
    """Removing a schedule does not touch the iteration that runs."""
    await schedules.every()
    assert await schedules.claim() == [job(0)]
    assert await schedules.remove()
    assert await driver.active() == [job(0)]


async def test_listing(driver: Driver, schedules: Schedules) -> None:
    """A page, the next to run first, and how many there are in all; repeatable jobs of old versions are left out."""
    for number in range(5):
        await schedules.every(1, f"s{number}", start_ms=at(10 - number))
    await schedules.cron(
        "c", limit=9, missed="run_all", missed_limit=4, overlap="skip", data="[1]", end_ms=at(99)
    )
    await driver.call("ZADD", driver.keys.key("repeat_"), at(0), "old")
    await driver.call("HSET", f"{driver.keys.base}repeat:old", "name", "n", "every", "1000")
    page = await list_schedules(driver.server, driver.keys, start=1, limit=3, clock=driver.now)
    assert (page.now, page.total) == (START, 7)
    assert [row.schedule_id for row in page.schedules] == [b"c", b"s4", b"s3"]
    assert page.schedules[0] == (
        b"c", at(1), b"n", b"[1]", b"{}", b"* * * * *", b"UTC", None, 0, 9, None, at(99), 1, b"run_all", 4, b"skip",
        f"* * * * *\nUTC\n\n{at(99)}".encode(), 1, 0,
    )  # fmt: skip
    assert (await read_schedule(driver.server, driver.keys, "gone", clock=driver.now))[1] is None


async def test_many_at_once(driver: Driver, schedules: Schedules) -> None:
    """However many upsert one schedule while its iterations are claimed, one iteration is pending."""

    async def claim_on(link: Link) -> None:
        for _ in range(50):
            driver.now += 997
            await schedules.claim()

    async def upsert_on(number: int) -> None:
        for turn in range(25):
            if (number + turn) % 3:
                await schedules.every(1 + number % 2, data=f"[{number},{turn}]")
            else:
                await schedules.cron()

    await asyncio.gather(*(upsert_on(number) for number in range(8)), claim_on(driver.link))
    (pending,) = await schedules.pending()
    assert await driver.scores("repeat_") == {"s": int(pending.rpartition(":")[2])}
