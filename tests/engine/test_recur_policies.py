"""Recur: what becomes of missed runs, and of a run whose predecessor goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from corral.engine.record import Refusal, Verb
from corral.engine.recover import Held
from tests.engine.driver import Driver, end, held, new_job
from tests.engine.schedules import MINUTE, Schedules, at, job

KINDS = pytest.mark.parametrize("kind", ["every", "cron"])


async def make(schedules: Schedules, kind: str, **rest: Any) -> None:
    """A schedule that runs at each full minute from 1 on, of either kind."""
    if kind == "every":
        await schedules.every(start_ms=at(1), **rest)
    else:
        await schedules.cron(count=40, **rest)


async def runs(schedules: Schedules, driver: Driver, *minutes: float) -> list[str]:
    """What starts when a worker asks at these times, once more whenever it got something."""
    started: list[str] = []
    for minute in minutes:
        driver.now = at(minute)
        while found := await driver.take(1):
            started.append(str(found[0].wire_id))
            await driver.settle(end(found[0]))
            if await schedules.sweep():
                await schedules.prepare()
    return started


class TestMissed:
    """Runs that nobody started before the next was due."""

    @KINDS
    async def test_run_once(self, schedules: Schedules, driver: Driver, kind: str) -> None:
        """One run stands for all; then it goes on as planned."""
        await make(schedules, kind)
        assert await runs(schedules, driver, 1, 20.5, 21) == [job(1), job(2), job(21)]

    @KINDS
    async def test_skip(self, schedules: Schedules, driver: Driver, kind: str) -> None:
        """None is made up for. One that is late but the last that was due runs; nothing is counted for the others."""
        await make(schedules, kind, missed="skip", limit=4)
        assert await runs(schedules, driver, 1.9, 20.5, 21, 22, 23, 24) == [job(1), job(21), job(22), job(23)]
        assert {"event": "removed", "jobId": job(2), "prev": "waiting"} in await driver.events()
        assert await driver.call("EXISTS", driver.keys.job(job(2))) == 0

    @KINDS
    async def test_run_all(self, schedules: Schedules, driver: Driver, kind: str) -> None:
        """Each is made up for, one after another, the oldest first."""
        await make(schedules, kind, missed="run_all", missed_limit=10)
        assert await runs(schedules, driver, 1, 5.5, 6) == [job(minute) for minute in (1, 2, 3, 4, 5, 6)]

    @KINDS
    async def test_run_all_with_a_limit(self, schedules: Schedules, driver: Driver, kind: str) -> None:
        """Of many, the one that waits and the latest so many."""
        await make(schedules, kind, missed="run_all", missed_limit=3)
        assert await runs(schedules, driver, 1, 20.5, 21) == [
            job(minute) for minute in (1, 2, 18, 19, 20, 21)
        ]

    @pytest.mark.parametrize("missed", ["run_once", "skip", "run_all"])
    async def test_after_all_times_have_passed(
        self, schedules: Schedules, driver: Driver, missed: str
    ) -> None:
        """A stop that is longer than the prepared times changes nothing, whatever the policy."""
        await schedules.cron(missed=missed, missed_limit=3)
        driver.now = at(500.5)
        first = await schedules.claim()
        assert first == ([] if missed == "skip" else [job(1)])
        await schedules.sweep()
        since = at(497) if missed == "run_all" else None
        await schedules.prepare(since=since and at(1), count=520)
        wanted = {"run_once": [], "skip": [], "run_all": [job(498), job(499), job(500)]}[missed]
        assert await runs(schedules, driver, 500.6) == wanted
        assert await schedules.pending() == [job(501)]


class TestLimit:
    """What is passed over does not count for `limit`, also where the iteration that waits was lost afterwards."""

    @pytest.fixture(params=["lost", "lost and over"])
    async def lose(self, request: pytest.FixtureRequest, driver: Driver, schedules: Schedules) -> Any:
        """The pending iteration is lost, and made again by a sweep."""

        async def lose() -> None:
            (lost,) = await schedules.pending()
            await driver.call(
                "DEL", driver.keys.key("delayed"), driver.keys.key("wait"), driver.keys.job(lost)
            )
            if request.param == "lost and over":
                driver.now = int(lost.rpartition(":")[2]) + 3 * MINUTE // 2
            await schedules.sweep()

        return lose

    @KINDS
    async def test_missed(self, schedules: Schedules, driver: Driver, kind: str, lose: Any) -> None:
        """Three runs are three runs, however many were skipped."""
        await make(schedules, kind, missed="skip", limit=3)
        assert await runs(schedules, driver, 1, 5.5) == [job(1)]
        await lose()
        assert (await schedules.read()).number == 2
        later = int((await schedules.pending())[0].rpartition(":")[2])
        assert await runs(schedules, driver, *((later - at(0)) / MINUTE + step for step in range(4))) == [
            f"repeat:s:{later}", f"repeat:s:{later + MINUTE}",
        ]  # fmt: skip

    @KINDS
    async def test_overlap(self, schedules: Schedules, driver: Driver, kind: str, lose: Any) -> None:
        """The same for those that were left out because the one before went on."""
        await make(schedules, kind, overlap="skip", missed="skip", limit=3)
        driver.now = at(1)
        run = await driver.take_one()
        for minute in (2, 3):
            driver.now = at(minute)
            assert await schedules.claim() == []
        await driver.settle(end(run))
        await lose()
        assert (await schedules.read()).number == 2

    async def test_while_no_time_is_known(self, schedules: Schedules, driver: Driver) -> None:
        """The one that waits for times to be prepared gets the number of the one that was passed over."""
        await schedules.cron(missed="skip", limit=3)
        driver.now = at(500.5)
        assert await schedules.claim() == []
        await schedules.prepare()
        assert (await schedules.read()).number == 1
        assert (await schedules.opts(501))["repeat"]["count"] == 1


class TestSkipOverlap:
    """`skip`: an iteration whose predecessor has not ended is passed over."""

    async def test_while_it_runs(self, schedules: Schedules, driver: Driver) -> None:
        """It is deleted and not counted, and the chain goes on until there is room again."""
        await schedules.every(overlap="skip", limit=3)
        run = await driver.take_one()
        for minute in (1, 2, 3):
            driver.now = at(minute)
            assert await schedules.claim() == []
            assert await schedules.pending() == [job(minute + 1)]
        await driver.settle(end(run))
        driver.now = at(4)
        assert await schedules.claim() == [job(4)]
        assert (await schedules.opts(4))["repeat"]["count"] == 2

    async def test_while_it_waits_for_its_next_attempt(self, schedules: Schedules, driver: Driver) -> None:
        """A run that failed and will be tried again has not ended."""
        await schedules.every(overlap="skip")
        await driver.settle(end(await driver.take_one(), Verb.DELAY, "x", amount=10 * MINUTE))
        driver.now = at(1)
        assert await schedules.claim() == []
        assert await schedules.pending() == [job(2)]

    async def test_a_claim_takes_the_next_job(self, schedules: Schedules, driver: Driver) -> None:
        """What is passed over costs the worker no slot."""
        await schedules.every(overlap="skip")
        assert await schedules.claim() == [job(0)]
        driver.now = at(1)
        await driver.claim(driver.a_claim(0))
        await driver.add("a", "b")
        assert await schedules.claim(1) == ["a"]

    async def test_of_a_pattern_without_times(self, schedules: Schedules, driver: Driver) -> None:
        """An iteration that is passed over while no time is known is made up for by the next one."""
        await schedules.cron(overlap="skip", count=2)
        driver.now = at(1)
        run = await driver.take_one()
        driver.now = at(30)
        assert await schedules.wanting() == ["s"]
        assert await driver.active() == [run.wire_id]
        await schedules.prepare()
        assert await schedules.pending() == [job(31)]

    async def test_one_that_is_gone(self, schedules: Schedules, driver: Driver) -> None:
        """A predecessor that was removed holds up nothing."""
        await schedules.every(overlap="skip")
        await driver.settle(end(await driver.take_one(), keep=0))
        driver.now = at(1)
        assert await schedules.claim() == [job(1)]


class TestCancelRunning:
    """`cancel_running`: the predecessor's run ends when the next iteration starts."""

    async def test_it_fails(self, schedules: Schedules, driver: Driver) -> None:
        """With a reason that names its successor, at once and for good, in the step that starts that one."""
        await schedules.every(overlap="cancel_running", opts='{"attempts":5}')
        run = await driver.take_one()
        driver.now = at(1)
        await driver.forget_events()
        assert await schedules.claim() == [job(1)]
        assert await driver.active() == [job(1)]
        stored = await schedules.job(0)
        reason = f"superseded by {job(1)}"
        assert (stored["failedReason"], stored["finishedOn"], stored["atm"]) == (reason, str(at(1)), "1")
        assert json.loads(stored["stacktrace"]) == [reason]
        assert await driver.scores("failed") == {run.wire_id: at(1)}
        assert await driver.events("failed", "retries-exhausted") == [
            {"event": "failed", "jobId": job(0), "failedReason": reason, "prev": "active"}
        ]

    async def test_its_holder_is_fenced_off(self, schedules: Schedules, driver: Driver) -> None:
        """The lock is gone and is not given back, and a late outcome is refused."""
        await schedules.every(overlap="cancel_running")
        run = await driver.take_one()
        driver.now = at(1)
        await schedules.claim()
        before = await driver.bytes_of_all()
        assert await driver.renew(run) == [0]
        assert await driver.settle(end(run)) == [Refusal.NOT_ACTIVE]
        assert await driver.call("EXISTS", driver.keys.job(job(0)) + ":lock") == 0
        assert await driver.bytes_of_all() == before

    @pytest.mark.parametrize(
        ("keep", "left"), [("true", 0), ("1", 1), ("false", 2), ('{"age":3600}', 2), ('{"count":1}', 1)]
    )
    async def test_retention(self, schedules: Schedules, driver: Driver, keep: str, left: int) -> None:
        """It is kept as its options say of failed jobs."""
        await schedules.every(overlap="cancel_running", opts=f'{{"removeOnFail":{keep}}}')
        for minute in range(3):
            driver.now = at(minute)
            assert await schedules.claim() == [job(minute)]
        assert len(await driver.scores("failed")) == left

    async def test_one_that_waits_for_its_next_attempt(self, schedules: Schedules, driver: Driver) -> None:
        """It fails when its turn comes, without running."""
        await schedules.every(overlap="cancel_running")
        await driver.settle(end(await driver.take_one(), Verb.DELAY, "x", amount=2 * MINUTE))
        driver.now = at(1)
        assert await schedules.claim() == [job(1)]
        assert (await schedules.job(0))["defa"] == f"superseded by {job(1)}"

    async def test_one_that_has_ended(self, schedules: Schedules, driver: Driver) -> None:
        """A completed predecessor stays completed."""
        await schedules.every(overlap="cancel_running")
        await driver.settle(end(await driver.take_one()))
        driver.now = at(1)
        assert await schedules.claim() == [job(1)]
        assert await driver.scores("completed") == {job(0): at(0)}

    @pytest.mark.parametrize("wanted", [1, 10])
    async def test_its_place_is_free(self, schedules: Schedules, driver: Driver, wanted: int) -> None:
        """Where the queue's concurrency is full, the place of the one that ends goes to the next ready job, in the
        same call; what the call does not want wakes another worker."""
        await driver.call("HSET", driver.keys.key("meta"), "concurrency", 2)
        await schedules.every(overlap="cancel_running")
        assert await schedules.claim() == [job(0)]
        driver.now = at(1)
        await driver.claim(driver.a_claim(0))
        await driver.add("a", "b")
        await driver.call("DEL", driver.keys.key("marker"))
        assert await schedules.claim(wanted) == [job(1), "a"][:wanted]
        assert ("0" in await driver.scores("marker")) == (wanted == 1)

    async def test_several_in_one_call(self, schedules: Schedules, driver: Driver) -> None:
        """Of missed runs that begin in one call only the last is handed out: the others have been superseded, and
        neither take a place nor count as starts."""
        meta = driver.keys.key("meta")
        await driver.call("HSET", meta, "concurrency", 2, "max", 3, "duration", 60_000)
        await schedules.every(overlap="cancel_running", missed="run_all", missed_limit=9)
        assert await schedules.claim() == [job(0)]
        driver.now = at(4.5)
        assert await schedules.claim() == [job(4)]
        assert await driver.active() == [job(4)]
        assert await driver.call("GET", driver.keys.key("limiter")) == "2"
        assert list(await driver.scores("failed")) == [job(minute) for minute in range(4)]
        locks = [driver.keys.job(job(minute)) + ":lock" for minute in range(5)]
        assert [await driver.call("EXISTS", lock) for lock in locks] == [0, 0, 0, 0, 1]
        await driver.add("a")
        assert await schedules.claim() == ["a"]

    async def test_its_own_second_start(self, schedules: Schedules, driver: Driver) -> None:
        """An iteration that starts again supersedes nothing, least of all itself."""
        await schedules.every(overlap="cancel_running")
        await driver.settle(end(await driver.take_one(), Verb.RETRY, "x"))
        run: Held = await driver.take_one()
        assert await driver.settle(end(run)) == [0]


@pytest.mark.parametrize("overlap", ["allow", "skip", "cancel_running"])
async def test_one_that_kills_its_workers(schedules: Schedules, driver: Driver, overlap: str) -> None:
    """An iteration that stalls more often than allowed is failed, unlike in BullMQ, and the schedule goes on."""
    await schedules.every(overlap=overlap)
    for _ in range(2):
        assert (await driver.take_one()).wire_id == job(0)
        await driver.lose_lock(job(0))
        await driver.check_stalled(max_stalled=1)
        await driver.check_stalled(max_stalled=1)
    claim = driver.a_claim(10)
    (last,) = (await driver.claim(claim)).jobs
    assert last.deferred == b"job stalled more than allowable limit"
    assert await schedules.pending() == [job(1)]
    await driver.settle(end(held(claim.token, [last])[0], Verb.FAIL, "stalled"))
    driver.now = at(1)
    assert await schedules.claim() == [job(1)]
    assert await driver.scores("failed") == {job(0): at(0)}


async def test_the_policies_survive_node(schedules: Schedules, driver: Driver) -> None:
    """Node rewrites the hash of a schedule; what it has no field for stands beside it."""
    await schedules.every(missed="skip", overlap="skip")
    key = f"{driver.keys.base}repeat:s"
    fields = await driver.fields(key)
    await driver.call("DEL", key)
    await driver.call("HSET", key, *(word for pair in fields.items() for word in pair))
    row = await schedules.read()
    assert (row.missed, row.overlap) == (b"skip", b"skip")


async def test_allow(schedules: Schedules, driver: Driver) -> None:
    """By default iterations run beside one another, and other jobs are left alone."""
    await schedules.every()
    await driver.add(new_job("a"))
    assert await schedules.claim() == [job(0), "a"]
    driver.now = at(1)
    assert await schedules.claim() == [job(1)]
    assert set(await driver.active()) == {job(0), "a", job(1)}
