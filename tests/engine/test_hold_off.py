"""Hold off: nothing of a queue starts for some time, on any worker."""

from __future__ import annotations

from typing import Any

import pytest

from corral.engine.claim import Claim
from corral.engine.limit import HELD_OFF, hold_starts, set_rate
from corral.engine.record import Verb
from tests.engine.driver import Driver, end, held, new_job
from tests.engine.limits import MINUTE, ask, changes, token, window_ends


class TestHoldingOff:
    """A handler was told by a service to wait: nothing of its queue starts until then."""

    @pytest.mark.parametrize("priority", [0, 2])
    async def test_the_job_goes_back_to_the_front(self, driver: Driver, priority: int) -> None:
        """Before all others of its line, no attempt spent; the event is that of BullMQ; somebody can be woken."""
        await driver.add(*(new_job(name, priority=priority) for name in "ab"))
        run = await driver.take_one()
        await driver.forget_events()
        await token(driver)
        reply = await driver.commit(end(run, Verb.HOLD_OFF, amount=60_000), claim=driver.a_claim(2))
        assert (reply.codes, reply.jobs) == ([0], [])
        assert 59_000 < reply.limited_ms <= 60_000
        fields = await driver.fields("a")
        assert (fields["ats"], fields.get("atm")) == ("1", None)
        assert await driver.events() == [{"event": "waiting", "jobId": "a", "prev": "active"}]
        assert await token(driver)
        await window_ends(driver)
        assert [again.wire_id for again in await driver.take(2)] == ["a", "b"]

    async def test_as_bullmq_writes_it(self, driver: Driver) -> None:
        """`limiter` holds the largest whole number of JavaScript and expires when the time is over."""
        await driver.add("a")
        await driver.settle(end(await driver.take_one(), Verb.HOLD_OFF, amount=60_000))
        assert await driver.call("GET", driver.keys.key("limiter")) == str(HELD_OFF) == str(2**53 - 1)
        assert 59_000 < await driver.call("PTTL", driver.keys.key("limiter")) <= 60_000

    @pytest.mark.parametrize("limiter", [("", ""), (5, 1000)])
    async def test_it_holds_for_all(self, driver: Driver, limiter: tuple[Any, Any]) -> None:
        """For workers with a limiter, and, unlike in BullMQ, for those without one."""
        await driver.add("a")
        await driver.call("SET", driver.keys.key("limiter"), HELD_OFF, "PX", 60_000)
        claims = await ask(driver, 1, *limiter)
        assert claims.jobs == []
        assert 0 < claims.limited_ms <= 60_000

    async def test_the_longest_time_holds(self, driver: Driver) -> None:
        """Several runs of one call, and of later ones: a short time does not end a long one."""
        await driver.add(*"abc")
        runs = await driver.take(3)
        times = [5_000, 60_000, 100]
        await driver.commit(
            *(end(run, Verb.HOLD_OFF, amount=ms) for run, ms in zip(runs[:2], times[:2], strict=True))
        )
        reply = await driver.commit(end(runs[2], Verb.HOLD_OFF, amount=times[2]), claim=driver.a_claim(1))
        assert 59_000 < reply.limited_ms <= 60_000

    async def test_a_used_up_window_is_not_cut_short(self, driver: Driver) -> None:
        """Else there would be more starts in it than allowed."""
        await driver.add(*"abcd")
        await set_rate(driver.server, driver.keys, MINUTE)
        runs = await driver.take(3)
        await driver.settle(end(runs[0], Verb.HOLD_OFF, amount=100))
        assert 59_000 < (await ask(driver, 1)).limited_ms <= 60_000

    @pytest.mark.parametrize("milliseconds", [30_000, 90_000])
    async def test_a_used_up_window_of_one_worker(self, driver: Driver, milliseconds: int) -> None:
        """It binds that worker alone: a time in which nothing may start binds all, and for as long as either lasts."""
        await driver.add(*"ab")
        claim = driver.a_claim(1)._replace(rate_max=1, window_ms=60_000)
        (run,) = held(claim.token, (await driver.claim(claim)).jobs)
        await driver.commit(end(run, Verb.HOLD_OFF, amount=milliseconds), claim=claim._replace(wanted=0))
        claims = await ask(driver, 2)
        assert claims.jobs == []
        assert max(milliseconds, 60_000) - 1000 < claims.limited_ms <= max(milliseconds, 60_000)

    async def test_for_no_time(self, driver: Driver) -> None:
        """Zero gives the job back and holds nothing."""
        await driver.add("a")
        run = await driver.take_one()
        reply = await driver.commit(end(run, Verb.HOLD_OFF, amount=0), claim=driver.a_claim(1))
        assert [job.wire_id for job in reply.jobs] == [b"a"]
        assert await driver.call("EXISTS", driver.keys.key("limiter")) == 0

    async def test_sent_again(self, driver: Driver) -> None:
        """A call whose reply was lost holds off once."""
        await driver.add("a")
        claim = Claim(0, "t", 1000, "", "w", 1)
        ending = end(await driver.take_one(), Verb.HOLD_OFF, amount=60_000)
        await driver.commit(ending, claim=claim)
        before = await driver.bytes_of_all()
        assert (await driver.commit(ending, claim=claim)).codes == [0]
        assert await driver.bytes_of_all() == before

    async def test_by_an_operator(self, driver: Driver) -> None:
        """Also from outside of a handler, and ended from there: then all who wait are told."""
        await driver.add("a")
        await hold_starts(driver.server, driver.keys, 60_000)
        await hold_starts(driver.server, driver.keys, 10)
        assert 59_000 < (await ask(driver, 1)).limited_ms <= 60_000
        await token(driver)
        await hold_starts(driver.server, driver.keys, 0)
        assert await changes(driver) == 1
        assert await token(driver)
        assert len((await ask(driver, 1)).jobs) == 1
