"""Recover: locks are renewed, jobs of dead workers return, and a run that was superseded writes nothing."""

from __future__ import annotations

import pytest

from corral.engine.control import remove_job
from corral.engine.keys import QueueKeys
from corral.engine.record import Refusal, Settlement, Verb
from corral.engine.recover import Held, Stalled, recover_stalled, renew_locks
from corral.engine.report import append_log, save_data, save_progress
from tests.engine.driver import INTERVAL_MS, Driver, end, new_job

TOO_OFTEN = "job stalled more than allowable limit"


async def stall(driver: Driver, wire_id: str, *, max_stalled: int = 1) -> list[Stalled]:
    """The job's worker dies: its lock runs out, and two checks pass."""
    await driver.lose_lock(wire_id)
    first = await driver.check_stalled(max_stalled=max_stalled)
    return [*first, *await driver.check_stalled(max_stalled=max_stalled)]


EVERY_WRITE = len(Verb) + 3
"""Each way to settle, progress, payload and log."""


class TestRenewal:
    """Locks of running jobs are renewed (§10)."""

    async def test_a_lock_of_ones_own(self, driver: Driver) -> None:
        """The lock lasts anew from now; the job is no longer suspected."""
        await driver.add("a")
        run = await driver.take_one()
        lock = driver.keys.job("a") + ":lock"
        await driver.call("PEXPIRE", lock, 500)
        await driver.check_stalled()
        assert await driver.call("SMEMBERS", driver.keys.key("stalled")) == ["a"]
        assert await driver.renew(run) == [1]
        assert await driver.call("PTTL", lock) > 500
        assert await driver.call("SMEMBERS", driver.keys.key("stalled")) == []

    async def test_a_missing_lock_is_taken_again(self, driver: Driver) -> None:
        """When the server stood still longer than the lock, a run that is still the last goes on."""
        await driver.add("a")
        run = await driver.take_one()
        await driver.lose_lock("a")
        await driver.check_stalled()
        assert await driver.renew(run) == [2]
        assert await driver.check_stalled() == []
        assert await driver.call("GET", driver.keys.job("a") + ":lock") == run.token
        assert await driver.settle(end(run)) == [0]

    async def test_not_when_the_job_was_returned(self, driver: Driver) -> None:
        """A job that is back in line is not taken out of it."""
        await driver.add("a")
        run = await driver.take_one()
        await stall(driver, "a")
        before = await driver.bytes_of_all()
        assert await driver.renew(run) == [0]
        assert await driver.bytes_of_all() == before

    async def test_not_when_another_has_started(self, driver: Driver) -> None:
        """A superseded run renews nothing, whether the other holds a lock or has lost it as well."""
        await driver.add("a")
        old = await driver.take_one()
        await stall(driver, "a")
        new = await driver.take_one()
        assert await driver.renew(old) == [0]
        assert await driver.call("GET", driver.keys.job("a") + ":lock") == new.token
        await driver.lose_lock("a")
        assert await driver.renew(old) == [0]
        assert await driver.renew(new) == [2]

    async def test_many_with_one_answer_each(self, driver: Driver) -> None:
        """One call renews all; what is gone, finished or unreadable is 0 and stops nothing."""
        await driver.add("a", "b", "c", "d", "e")
        a, b, c, d, e = await driver.take(5)
        await driver.settle(end(b))
        await driver.call("DEL", driver.keys.job("c"), driver.keys.job("c") + ":lock")
        await driver.call("DEL", driver.keys.job("d") + ":lock")
        await driver.call("SET", driver.keys.job("d"), "bytes")
        await driver.call("DEL", driver.keys.job("e") + ":lock")
        await driver.call("HSET", driver.keys.job("e") + ":lock", "not", "a string")
        assert await driver.renew(a, b, c, d, e) == [1, 0, 0, 0, 0]

    async def test_ten_thousand(self, driver: Driver) -> None:
        """However many runs a worker holds, one call renews them."""
        for first in range(0, 10_000, 500):
            await driver.add(*(f"j{number}" for number in range(first, first + 500)))
        runs = [run for _ in range(5) for run in await driver.take(2_000)]
        assert set(await renew_locks(driver.link, driver.keys, runs, 1000)) == {1}


class TestStalledCheck:
    """Jobs whose worker is gone return (§18)."""

    async def test_two_checks_after_the_lock(self, driver: Driver) -> None:
        """Suspected at one check, returned at the next if nobody renewed; stalls are counted."""
        await driver.add("a")
        await driver.take_one()
        await driver.forget_events()
        await driver.lose_lock("a")
        assert await driver.check_stalled() == []
        assert await driver.check_stalled() == [(b"a", 1)]
        assert (await driver.active(), await driver.waiting()) == ([], ["a"])
        assert (await driver.fields("a"))["stc"] == "1"
        assert await driver.events() == [
            {"event": "waiting", "jobId": "a", "prev": "active"},
            {"event": "stalled", "jobId": "a"},
        ]

    async def test_a_held_lock_protects(self, driver: Driver) -> None:
        """A job whose lock is there is never returned, however many checks pass."""
        await driver.add("a")
        await driver.take_one()
        for _ in range(4):
            assert await driver.check_stalled() == []
        assert await driver.active() == ["a"]

    async def test_it_runs_next(self, driver: Driver) -> None:
        """A returned job goes before those that wait; one with priority before its equals, not before all."""
        await driver.add("a", new_job("p", priority=5))
        await driver.take(2)
        await driver.add("b", new_job("q", priority=5))
        await driver.lose_lock("a")
        await driver.lose_lock("p")
        await driver.check_stalled()
        await driver.check_stalled()
        assert [run.wire_id for run in await driver.take(4)] == ["a", "b", "p", "q"]

    async def test_once_in_an_interval(self, driver: Driver) -> None:
        """Of all workers one checks in an interval; the others' calls do nothing."""
        await driver.add("a")
        await driver.take_one()
        await driver.lose_lock("a")
        for _ in range(3):
            reply = await recover_stalled(driver.link, driver.keys, interval_ms=INTERVAL_MS, max_stalled=1)
            assert reply == []
        assert 0 < await driver.call("PTTL", driver.keys.key("stalled_check")) <= INTERVAL_MS
        assert await driver.active() == ["a"]

    async def test_poison_pills(self, driver: Driver) -> None:
        """After `max_stalled` a job is started once more, only to be failed with the reason."""
        await driver.add("a")
        await driver.take_one()
        assert await stall(driver, "a") == [(b"a", 1)]
        assert "defa" not in await driver.fields("a")
        await driver.take_one()
        assert await stall(driver, "a") == [(b"a", 2)]
        claim = driver.a_claim(1)
        (job,) = (await driver.claim(claim)).jobs
        assert (job.deferred, job.stalls) == (TOO_OFTEN.encode(), b"2")
        await driver.settle(Settlement("a", claim.token, job.fence, Verb.FAIL, TOO_OFTEN, keep_count=-1))
        stored = await driver.fields("a")
        assert (stored["failedReason"], stored["stc"]) == (TOO_OFTEN, "2")
        assert "defa" not in stored

    @pytest.mark.parametrize("max_stalled", [0, 3])
    async def test_as_often_as_allowed(self, driver: Driver, max_stalled: int) -> None:
        """`max_stalled` is the number of stalls that are forgiven."""
        await driver.add("a")
        for stalls in range(1, max_stalled + 2):
            assert "defa" not in await driver.fields("a")
            await driver.take_one()
            assert await stall(driver, "a", max_stalled=max_stalled) == [(b"a", stalls)]
        assert (await driver.fields("a"))["defa"] == TOO_OFTEN

    async def test_scheduled_jobs_are_no_exception(self, driver: Driver) -> None:
        """A scheduled job that kills its worker again and again fails as any other does."""
        await driver.call("HSET", driver.keys.base + "repeat:s", "name", "n", "ic", 1)
        await driver.call("ZADD", driver.keys.key("repeat_"), 5, "s")
        wire_id = "repeat:s:5"
        await driver.add(new_job(wire_id))
        await driver.call("HSET", driver.keys.job(wire_id), "rjk", "s")
        for _ in range(2):
            await driver.take_one()
            await stall(driver, wire_id)
        assert (await driver.fields(driver.keys.job(wire_id)))["defa"] == TOO_OFTEN

    async def test_a_job_that_vanished(self, driver: Driver) -> None:
        """An active id without a hash is dropped; no stub of a hash appears."""
        await driver.add("a")
        await driver.take_one()
        await driver.call("DEL", driver.keys.job("a"))
        assert await stall(driver, "a") == []
        assert (await driver.active(), await driver.waiting(), await driver.fields("a")) == ([], [], {})

    async def test_a_key_of_the_wrong_type(self, driver: Driver) -> None:
        """An active job whose key holds no hash ends in failed, its bytes kept, and is lost by nobody."""
        await driver.add("a")
        await driver.take_one()
        await driver.call("SET", driver.keys.job("a"), "bytes")
        assert await stall(driver, "a") == []
        assert (await driver.active(), list(await driver.scores("failed"))) == ([], ["a"])
        assert await driver.call("GET", driver.keys.job("a")) == "bytes"

    async def test_it_wakes_somebody(self, driver: Driver) -> None:
        """A returned job leaves a token, also where the dead run filled the queue's concurrency."""
        await driver.call("HSET", driver.keys.key("meta"), "concurrency", 1)
        await driver.add("a")
        await driver.take_one()
        await driver.call("DEL", driver.keys.key("marker"))
        await stall(driver, "a")
        assert await driver.scores("marker") == {"0": 0}

    async def test_a_paused_queue_of_version_5(self, driver: Driver) -> None:
        """Where BullMQ 5 paused the queue, a returned job is parked at the front."""
        await driver.add("a")
        await driver.take_one()
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1, "version", "bullmq:5.61.2")
        await driver.call("LPUSH", driver.keys.key("paused"), "x")
        await stall(driver, "a")
        assert await driver.call("LRANGE", driver.keys.key("paused"), 0, -1) == ["x", "a"]


class TestFencing:
    """`ats`, the number of a run, decides who may write: whoever is superseded changes no byte."""

    async def write_everything(self, driver: Driver, run: Held) -> list[int]:
        """All that a run may write to its job."""
        keys, server = driver.keys, driver.server
        codes = [
            await save_progress(server, keys, run, b"50"),
            await save_data(server, keys, run, b"2"),
            await append_log(server, keys, run, "line", keep=5),
        ]
        for verb in Verb:
            codes += await driver.settle(end(run, verb, "null", amount=1))
        return [*codes, *(await driver.renew(run))]

    async def superseded(self, driver: Driver) -> tuple[Held, Held]:
        """An old run and the one that came after it."""
        await driver.add(new_job("a", data="1"))
        old = await driver.take_one()
        await stall(driver, "a")
        return old, await driver.take_one()

    async def test_while_the_next_run_goes_on(self, driver: Driver) -> None:
        """Every write of the old run is refused as held by another."""
        old, _ = await self.superseded(driver)
        before = await driver.bytes_of_all()
        assert await self.write_everything(driver, old) == [Refusal.HELD_BY_ANOTHER] * EVERY_WRITE + [0]
        assert await driver.bytes_of_all() == before

    async def test_while_the_next_run_has_lost_its_lock(self, driver: Driver) -> None:
        """No lock at all does not let the old run in: its number is stale."""
        old, new = await self.superseded(driver)
        await driver.lose_lock("a")
        before = await driver.bytes_of_all()
        assert await self.write_everything(driver, old) == [Refusal.SUPERSEDED] * EVERY_WRITE + [0]
        assert await driver.bytes_of_all() == before
        assert await driver.settle(end(new)) == [0]

    async def test_after_its_job_was_removed_and_added_again(self, driver: Driver) -> None:
        """Another job under the same id, at its own first start: the old run has nothing to do with it."""
        await driver.add(new_job("a", data="1"))
        old = await driver.take_one()
        await driver.lose_lock("a")
        assert await remove_job(driver.server, driver.keys, "a", clock=driver.now) == 1
        driver.now += 1
        await driver.add(new_job("a", data="2"))
        new = await driver.take_one()
        await driver.lose_lock("a")
        before = await driver.bytes_of_all()
        assert await self.write_everything(driver, old) == [Refusal.SUPERSEDED] * EVERY_WRITE + [0]
        assert await driver.bytes_of_all() == before
        assert await driver.settle(end(new)) == [0]

    async def test_with_the_right_number_and_anothers_lock(self, driver: Driver) -> None:
        """A right number with a wrong token is refused too."""
        _, new = await self.superseded(driver)
        before = await driver.bytes_of_all()
        codes = await self.write_everything(driver, Held(new.wire_id, "stolen", new.fence))
        assert codes == [Refusal.HELD_BY_ANOTHER] * EVERY_WRITE + [0]
        assert await driver.bytes_of_all() == before

    @pytest.mark.parametrize("verb", [Verb.COMPLETE, Verb.FAIL])
    async def test_after_the_end(self, driver: Driver, verb: Verb) -> None:
        """A job that has ended takes no more writes from any run, its own last one included."""
        old, new = await self.superseded(driver)
        await driver.settle(end(new, verb))
        before = await driver.bytes_of_all()
        assert all(code < 0 for code in (await self.write_everything(driver, old))[:-1])
        assert all(code < 0 for code in (await self.write_everything(driver, new))[:-1])
        assert await driver.renew(old, new) == [0, 0]
        assert await driver.bytes_of_all() == before

    @pytest.mark.parametrize(
        "verb", [Verb.RETRY, Verb.DELAY, Verb.SNOOZE, Verb.SNOOZE_UNTIL, Verb.GIVE_BACK, Verb.HOLD_OFF]
    )
    async def test_between_two_runs(self, driver: Driver, verb: Verb) -> None:
        """A run that has ended writes no more, also before the next one starts: handlers may be deaf to timeouts."""
        await driver.add("a")
        run = await driver.take_one()
        await driver.settle(end(run, verb, "null", amount=5_000))
        before = await driver.bytes_of_all()
        codes = await self.write_everything(driver, run)
        assert codes[:3] == [Refusal.SUPERSEDED] * 3
        assert max(codes[3:-1]) < 0
        assert await driver.bytes_of_all() == before

    async def test_after_the_job_was_removed(self, driver: Driver) -> None:
        """Nothing resurrects half a hash of a job that is gone (bull #371)."""
        old, new = await self.superseded(driver)
        await driver.settle(end(new, keep=0))
        before = await driver.bytes_of_all()
        assert await self.write_everything(driver, old) == [Refusal.NO_JOB] * EVERY_WRITE + [0]
        assert await driver.bytes_of_all() == before

    async def test_while_the_job_waits_again(self, driver: Driver) -> None:
        """A run whose job was returned cannot settle it any more: somebody else will."""
        await driver.add("a")
        run = await driver.take_one()
        await stall(driver, "a")
        before = await driver.bytes_of_all()
        for verb in Verb:
            refusal = Refusal.NO_CHILDREN if verb is Verb.WAIT_FOR_CHILDREN else Refusal.NOT_ACTIVE
            assert await driver.settle(end(run, verb, "null")) == [refusal]
        assert await driver.bytes_of_all() == before

    async def test_a_missing_lock_alone_refuses_nothing(self, driver: Driver) -> None:
        """A run that is still the last may settle without its lock: the result of healthy work is not thrown away."""
        await driver.add("a")
        run = await driver.take_one()
        await driver.lose_lock("a")
        assert await driver.settle(end(run)) == [0]


async def test_queues_do_not_meet(driver: Driver) -> None:
    """A check in one queue does not touch another of the same prefix."""
    other = Driver(driver.server, driver.link, QueueKeys(driver.keys.prefix, driver.keys.queue + "2"))
    await other.add("a")
    await other.take_one()
    await other.lose_lock("a")
    await driver.check_stalled()
    assert await driver.check_stalled() == []
    assert await other.active() == ["a"]
    assert await driver.call("EXISTS", other.keys.key("stalled")) == 0
