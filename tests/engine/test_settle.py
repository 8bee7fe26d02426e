"""Settle: the outcome of a run is stored, once (wire format §§16, 17)."""

from __future__ import annotations

import json

import pytest

from corral.engine.record import Refusal, Settlement, Verb
from corral.engine.recover import Held
from tests.engine.driver import Driver, end, held, new_job


async def one_run(driver: Driver, **fields: object) -> Held:
    """A job that runs."""
    await driver.add(new_job("a", **fields))  # type: ignore[arg-type]
    run = await driver.take_one()
    await driver.forget_events()
    driver.now += 11
    return run


class TestCompleted:
    """A handler returned."""

    async def test_what_is_stored(self, driver: Driver) -> None:
        """The result, the time and the attempt are in the hash; the id is in `completed`; lock and place are gone."""
        run = await one_run(driver)
        assert await driver.settle(end(run, text='{"r":9007199254740993}')) == [0]
        stored = await driver.fields("a")
        assert stored["returnvalue"] == '{"r":9007199254740993}'
        assert (stored["finishedOn"], stored["atm"], stored["ats"]) == (str(driver.now), "1", "1")
        assert await driver.scores("completed") == {"a": driver.now}
        assert await driver.active() == []
        assert await driver.call("EXISTS", driver.keys.job("a") + ":lock") == 0

    async def test_events(self, driver: Driver) -> None:
        """`completed` carries the result; `drained` follows when nothing is left."""
        run = await one_run(driver)
        await driver.settle(end(run, text='"r"'))
        assert await driver.events() == [
            {"event": "completed", "jobId": "a", "returnvalue": '"r"', "prev": "active"},
            {"event": "drained"},
        ]

    async def test_the_reason_of_an_earlier_attempt_stays(self, driver: Driver) -> None:
        """A job that failed first keeps `failedReason` after its success, as BullMQ has it."""
        run = await one_run(driver)
        await driver.settle(end(run, Verb.RETRY, "first"))
        await driver.settle(end(await driver.take_one()))
        stored = await driver.fields("a")
        assert (stored["failedReason"], stored["atm"], stored["ats"]) == ("first", "2", "2")


class TestFailed:
    """A run failed for good."""

    async def test_what_is_stored(self, driver: Driver) -> None:
        """Reason, trace, time and attempt are in the hash; the id is in `failed`; a deferred failure is removed."""
        run = await one_run(driver)
        await driver.call("HSET", driver.keys.job("a"), "defa", "x")
        assert await driver.settle(end(run, Verb.FAIL, "no", trace="at line 1", amount=3)) == [0]
        stored = await driver.fields("a")
        assert (stored["failedReason"], json.loads(stored["stacktrace"])) == ("no", ["at line 1"])
        assert (stored["finishedOn"], stored["atm"]) == (str(driver.now), "1")
        assert "defa" not in stored
        assert await driver.scores("failed") == {"a": driver.now}

    async def test_early_failures_do_not_exhaust(self, driver: Driver) -> None:
        """A failure before the last attempt says `failed` alone."""
        await driver.settle(end(await one_run(driver), Verb.FAIL, "no", amount=3))
        failed = {"event": "failed", "jobId": "a", "failedReason": "no", "prev": "active"}
        assert await driver.events() == [failed, {"event": "drained"}]

    @pytest.mark.parametrize("attempts", [0, 1])
    async def test_the_last_attempt_exhausts(self, driver: Driver, attempts: int) -> None:
        """When as many attempts were made as are allowed, `retries-exhausted` follows `failed`."""
        await driver.settle(end(await one_run(driver), Verb.FAIL, "no", amount=attempts))
        names = [event["event"] for event in await driver.events()]
        assert names == ["failed", "retries-exhausted", "drained"]
        assert (await driver.events("retries-exhausted"))[0]["attemptsMade"] == "1"


class TestTraces:
    """The traces of the attempts, in one JSON array."""

    async def test_the_newest_are_kept(self, driver: Driver) -> None:
        """Oldest first, cut to the newest `traces`."""
        await driver.add("a")
        for number in range(4):
            run = await driver.take_one()
            await driver.settle(end(run, Verb.RETRY, "r", trace=f"t{number}", traces=2))
        assert json.loads((await driver.fields("a"))["stacktrace"]) == ["t2", "t3"]

    @pytest.mark.parametrize(
        "stored",
        ["{", '"x"', "[NaN]", "[" * 1200 + "]" * 1200, '{"a":1}', "\udcff".encode(errors="surrogateescape")],
    )
    async def test_what_another_client_left(self, driver: Driver, stored: str | bytes) -> None:
        """Traces that cannot be read or written again do not keep a job from being settled."""
        run = await one_run(driver)
        await driver.call("HSET", driver.keys.job("a"), "stacktrace", stored)
        assert await driver.settle(end(run, Verb.FAIL, "no", trace="mine")) == [0]
        assert "mine" in (await driver.fields("a"))["stacktrace"]

    async def test_none_wanted(self, driver: Driver) -> None:
        """With no traces to keep the field is an empty array, as Node reads it."""
        await driver.settle(end(await one_run(driver), Verb.FAIL, "no", trace="t", traces=0))
        assert (await driver.fields("a"))["stacktrace"] == "[]"


class TestPutBack:
    """A run that did not end its job."""

    async def test_retried_now(self, driver: Driver) -> None:
        """The attempt and its reason are stored; the job waits behind the others; no `failed` event."""
        run = await one_run(driver)
        await driver.add("b")
        await driver.forget_events()
        await driver.settle(end(run, Verb.RETRY, "again", trace="t"))
        stored = await driver.fields("a")
        assert (stored["atm"], stored["failedReason"], stored["stacktrace"]) == ("1", "again", '["t"]')
        assert await driver.waiting() == ["b", "a"]
        assert await driver.events() == [{"event": "waiting", "jobId": "a", "prev": "active"}]

    async def test_retried_first(self, driver: Driver) -> None:
        """A lifo job that is retried goes before the others."""
        run = await one_run(driver)
        await driver.add("b")
        await driver.settle(end(run, Verb.RETRY, "again", amount=1))
        assert await driver.waiting() == ["a", "b"]

    async def test_retried_by_priority(self, driver: Driver) -> None:
        """A prioritized job goes back behind its equals."""
        run = await one_run(driver, priority=2)
        await driver.add(new_job("b", priority=2))
        await driver.settle(end(run, Verb.RETRY, "again"))
        assert list(await driver.scores("prioritized")) == ["b", "a"]

    async def test_delayed_by_its_backoff(self, driver: Driver) -> None:
        """The attempt is counted; `delay` and score say when it runs again; the marker tells the workers."""
        run = await one_run(driver)
        await driver.call("DEL", driver.keys.key("marker"))
        await driver.settle(end(run, Verb.DELAY, "later", amount=1000))
        stored = await driver.fields("a")
        assert (stored["atm"], stored["delay"], stored["failedReason"]) == ("1", "1000", "later")
        due = driver.now + 1000
        assert await driver.scores("delayed") == {"a": due * 4096}
        assert await driver.events() == [{"event": "delayed", "jobId": "a", "delay": str(due)}]
        assert await driver.scores("marker") == {"1": due}

    async def test_snoozed(self, driver: Driver) -> None:
        """A snooze spends no attempt and leaves no reason."""
        run = await one_run(driver)
        await driver.settle(end(run, Verb.SNOOZE, "", amount=500))
        stored = await driver.fields("a")
        assert "atm" not in stored
        assert "failedReason" not in stored
        assert await driver.scores("delayed") == {"a": (driver.now + 500) * 4096}

    @pytest.mark.parametrize("priority", [0, 2])
    async def test_given_back(self, driver: Driver, priority: int) -> None:
        """A job given back runs next among its equals, no attempt spent, and wakes somebody."""
        run = await one_run(driver, priority=priority)
        await driver.add(new_job("b", priority=priority))
        await driver.call("DEL", driver.keys.key("marker"))
        await driver.settle(end(run, Verb.GIVE_BACK, ""))
        assert "atm" not in await driver.fields("a")
        line = await driver.waiting() + list(await driver.scores("prioritized"))
        assert line == ["a", "b"]
        assert await driver.scores("marker") == {"0": 0}

    async def test_locks_are_gone(self, driver: Driver) -> None:
        """However a run ends, the job has no lock and is no longer marked as perhaps stalled."""
        for verb in Verb:
            await driver.add(f"j{verb}")
            run = await driver.take_one()
            await driver.check_stalled()
            await driver.call("HSET", driver.keys.job(f"j{verb}"), "children", "")
            await driver.settle(end(run, verb, "null", amount=5, keep=1))
            assert await driver.call("EXISTS", driver.keys.job(f"j{verb}") + ":lock") == 0
            await driver.call("DEL", driver.keys.key("limiter"))
            assert await driver.call("SMEMBERS", driver.keys.key("stalled")) == []
            await driver.call("DEL", driver.keys.key("wait"), driver.keys.key("delayed"))


class TestDrained:
    """`drained`: the last job has ended and nothing is left to do."""

    @pytest.mark.parametrize("left", [new_job("b"), new_job("b", priority=1)])
    async def test_not_while_jobs_are_ready(self, driver: Driver, left: object) -> None:
        """Ready jobs, prioritized or not, are something to do."""
        await driver.add("a")
        run = await driver.take_one()
        await driver.add(left)  # type: ignore[arg-type]
        await driver.settle(end(run))
        assert await driver.events("drained") == []

    async def test_not_while_others_run(self, driver: Driver) -> None:
        """A job that still runs may bring more."""
        await driver.add("a", "b")
        first, second = await driver.take(2)
        await driver.settle(end(first))
        assert await driver.events("drained") == []
        await driver.settle(end(second))
        assert len(await driver.events("drained")) == 1

    async def test_not_when_the_next_claim_got_one(self, driver: Driver) -> None:
        """A commit that claims the next job has not drained the queue."""
        await driver.add("a", "b")
        run = await driver.take_one()
        await driver.commit(end(run), claim=driver.a_claim(1))
        assert await driver.events("drained") == []

    async def test_not_by_putting_back(self, driver: Driver) -> None:
        """Only an end drains."""
        await driver.settle(end(await one_run(driver), Verb.DELAY, "x", amount=10))
        assert await driver.events("drained") == []

    async def test_once_for_a_batch(self, driver: Driver) -> None:
        """A batch that empties the queue says so once, at its end."""
        await driver.add("a", "b")
        await driver.commit(*(end(run) for run in await driver.take(2)), claim=driver.a_claim(5))
        assert [event["event"] for event in await driver.events()][-3:] == [
            "completed",
            "completed",
            "drained",
        ]


class TestBatches:
    """Many runs in one call."""

    async def test_each_has_its_own_answer(self, driver: Driver) -> None:
        """What one run is refused does not touch the others."""
        await driver.add("a", "b", "c", "d")
        a, b, c, d = await driver.take(4)
        await driver.call("DEL", driver.keys.job("b"))
        wrong = Held(c.wire_id, "another", c.fence)
        codes = await driver.settle(end(a), end(b), end(wrong), end(d, Verb.RETRY, "x"), end(a))
        gone, other, twice = Refusal.NO_JOB, Refusal.HELD_BY_ANOTHER, Refusal.NOT_ACTIVE
        assert codes == [0, gone, other, 0, twice]
        assert list(await driver.scores("completed")) == ["a"]
        assert await driver.waiting() == ["d"]
        assert await driver.active() == ["c", "b"]

    async def test_a_job_put_back_can_start_in_the_same_call(self, driver: Driver) -> None:
        """A commit settles before it claims: what was put back is a job like any other, its lock the new one."""
        run = await one_run(driver)
        claim = driver.a_claim(1)
        reply = await driver.commit(end(run, Verb.RETRY, "x"), claim=claim)
        (job,) = reply.jobs
        assert (job.wire_id, job.starts) == (b"a", 2)
        assert await driver.call("GET", driver.keys.job("a") + ":lock") == claim.token
        assert await driver.settle(end(held(claim.token, [job])[0])) == [0]

    async def test_order_in_active_is_kept(self, driver: Driver) -> None:
        """Settling many of a short list leaves the rest of `active` in its order."""
        await driver.add(*(f"j{number}" for number in range(20)))
        runs = await driver.take(20)
        assert set(await driver.settle(*(end(run) for run in runs[::2]))) == {0}
        assert await driver.active() == [run.wire_id for run in reversed(runs[1::2])]

    async def test_a_thousand(self, driver: Driver) -> None:
        """A thousand runs can be settled in one call."""
        for first in range(0, 1000, 500):
            await driver.add(*(f"j{number}" for number in range(first, first + 500)))
        runs = await driver.take(1000)
        assert set(await driver.settle(*(end(run) for run in runs))) == {0}
        assert len(await driver.scores("completed")) == 1000

    async def test_one_broken_job_does_not_stop_the_others(self, driver: Driver) -> None:
        """A job whose key was overwritten with another type while it ran is refused; its batch goes on."""
        await driver.add("a", "bad", "b")
        a, bad, b = await driver.take(3)
        await driver.call("SET", driver.keys.job("bad"), "bytes")
        codes = await driver.settle(end(a), end(bad), end(b))
        assert (codes[0], codes[2]) == (0, 0)
        assert codes[1] < 0
        assert await driver.active() == ["bad"]


class TestSentAgain:
    """A commit whose reply was lost may be sent again."""

    async def test_the_same_answer_and_no_byte_changed(self, driver: Driver) -> None:
        """Codes and jobs are those of the first time, and nothing on the server moves."""
        await driver.add("a", "b", "c", "d", new_job("e", priority=1), "f")
        a, b, c = await driver.take(3)
        ends = [end(a, keep=5), end(b, Verb.FAIL, "no"), end(c, Verb.DELAY, "x", amount=60_000)]
        gone = Settlement("gone", "t", "1:", Verb.COMPLETE, "null")
        claim = driver.a_claim(2, "w", 1)
        first = await driver.commit(*ends, gone, claim=claim, points=60)
        before = await driver.bytes_of_all()
        driver.now += 5
        again = await driver.commit(*ends, gone, claim=claim, points=60)
        assert (again.codes, again.jobs) == (first.codes, first.jobs)
        assert first.codes == [0, 0, 0, -1]
        assert await driver.bytes_of_all() == before

    async def test_without_a_claim(self, driver: Driver) -> None:
        """Also a commit that asks for nothing is recognised: no job ends twice, no event comes twice."""
        run = await one_run(driver)
        claim = driver.a_claim(0, "w", 1)
        assert (await driver.commit(end(run, keep=0), claim=claim)).codes == [0]
        assert (await driver.commit(end(run, keep=0), claim=claim)).codes == [0]
        assert len(await driver.events("completed")) == 1
