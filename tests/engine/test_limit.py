"""Limit: how many jobs may start in a time, and how many may run at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corral import InvalidOption, RateLimit
from corral.contracts.rate_limit import MOST
from corral.engine.limit import hold_starts, read_limits, set_concurrency, set_rate
from corral.engine.record import Verb
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.engine.driver import Driver, end, held, new_job
from tests.engine.limits import MINUTE, ask, changes, token, window_ends


class TestWindows:
    """A window begins with its first start and has at most so many."""

    async def test_a_workers_own_limit(self, driver: Driver) -> None:
        """Kept in the queue's `limiter`, so that all workers that say the same share it."""
        await driver.add(*"abcde")
        first = await ask(driver, 2, 3, 60_000)
        assert (len(first.jobs), first.limited_ms) == (2, 0)
        second = await ask(driver, 2, 3, 60_000)
        assert [job.wire_id for job in second.jobs] == [b"c"]
        assert 0 < second.limited_ms <= 60_000
        assert 0 < (await ask(driver, 2, 3, 60_000)).limited_ms <= 60_000
        assert len((await ask(driver, 2)).jobs) == 2  # whoever has no limiter is not limited by it (BullMQ)

    async def test_the_last_of_a_window_says_when_the_next_begins(self, driver: Driver) -> None:
        """A claim that was cut short by the limit says so with the jobs that it brings."""
        await driver.add(*"abcde")
        claims = await ask(driver, 5, 3, 60_000)
        assert len(claims.jobs) == 3
        assert 59_000 < claims.limited_ms <= 60_000

    @pytest.mark.parametrize("settles", [False, True])
    async def test_a_workers_own_limit_leaves_jobs_to_others(self, driver: Driver, settles: bool) -> None:
        """A claim that only the worker's own limit stopped wakes another worker, who may have none. Where the queue's
        limit stopped it, or nothing may start, there is nobody to wake."""
        await driver.add(*"abcdef")
        claim = driver.a_claim(2)._replace(rate_max=2, window_ms=60_000)
        runs = held(claim.token, (await driver.claim(claim)).jobs)

        async def again() -> bool:
            await token(driver)
            if settles:
                await driver.commit(end(runs.pop()), claim=claim)
            else:
                await driver.claim(claim)
            return await token(driver)

        assert await again()
        await set_rate(driver.server, driver.keys, RateLimit(1, per=60))
        assert not await again()

    @pytest.mark.parametrize("settles", [False, True])
    async def test_a_claim_cut_short_by_the_workers_own_limit(self, driver: Driver, settles: bool) -> None:
        """The same where it brought some jobs, but not where none are left."""
        await driver.add(*"abcde")
        ends = [end(await driver.take_one())] if settles else []
        claim = driver.a_claim(4)._replace(rate_max=2, window_ms=60_000)
        for left, woken in ((True, True), (False, False)):
            await window_ends(driver)
            await token(driver)
            if not left:
                await driver.call("LTRIM", driver.keys.key("wait"), -2, -1)
            reply = await driver.commit(*ends, claim=claim) if settles else await driver.claim(claim)
            assert len(reply.jobs) == 2
            assert await token(driver) is woken

    async def test_with_a_settlement(self, driver: Driver) -> None:
        """The same where a claim travels with settlements."""
        await driver.add(*"abcde")
        await set_rate(driver.server, driver.keys, MINUTE)
        runs = await driver.take(2)
        reply = await driver.commit(*map(end, runs), claim=driver.a_claim(4))
        assert len(reply.jobs) == 1
        assert 0 < reply.limited_ms <= 60_000

    async def test_whose_number_and_whose_window_hold(self, driver: Driver) -> None:
        """The queue's number wins over the worker's, the worker's window over the queue's (wire format §25)."""
        await driver.add(*"abcdef")
        await set_rate(driver.server, driver.keys, RateLimit(2, per=3600))
        claims = await ask(driver, 6, 4, 60_000)
        assert len(claims.jobs) == 2
        assert claims.limited_ms <= 60_000

    @pytest.mark.parametrize("garbage", ["0", "-3", "many"])
    async def test_numbers_that_no_client_should_write(self, driver: Driver, garbage: str) -> None:
        """A limit below 1 is 1, as in BullMQ; what is no number is no limit."""
        await driver.add(*"abc")
        await driver.call("HSET", driver.keys.key("meta"), "max", garbage, "duration", "60000")
        assert len(await driver.take(3)) == (3 if garbage == "many" else 1)

    async def test_failures_to_deliver_do_not_count(self, driver: Driver) -> None:
        """Jobs that only carry their failure take no place of the window, in the same claim neither: nobody would
        come back for what was left out."""
        await driver.add(*"abcd")
        await driver.call("HSET", driver.keys.job("a"), "defa", "why")
        await driver.call("HSET", driver.keys.job("c"), "defa", "why")
        claims = await ask(driver, 4, 1, 60_000)
        assert [job.wire_id for job in claims.jobs] == [b"a", b"b"]
        assert claims.limited_ms > 0
        assert await driver.call("GET", driver.keys.key("limiter")) == "1"

    async def test_due_jobs_are_promoted_meanwhile(self, driver: Driver) -> None:
        """Under a limit nothing starts, but what is due gets in line, by its priority."""
        await driver.add("first", new_job("late", delay=5), new_job("urgent", delay=5, priority=1))
        await ask(driver, 1, 1, 60_000)
        driver.now += 5
        assert (await ask(driver, 1, 1, 60_000)).jobs == []
        assert await driver.waiting() == ["late"]
        assert list(await driver.scores("prioritized")) == ["urgent"]

    async def test_the_limiter_is_checked_before_the_pause(self, driver: Driver) -> None:
        """Paused and limited: the answer is how long the limit lasts."""
        await driver.add(*"ab")
        await ask(driver, 1, 1, 60_000)
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1)
        assert (await ask(driver, 1, 1, 60_000)).limited_ms > 0


class TestSettings:
    """What an operator sets, and what can be read of it."""

    async def test_as_bullmq_keeps_it(self, driver: Driver) -> None:
        """Fields of `meta`; None takes them away."""
        await set_rate(driver.server, driver.keys, RateLimit(7, per=1.5))
        await set_concurrency(driver.server, driver.keys, 4)
        meta = await driver.fields(driver.keys.key("meta"))
        assert meta == {"max": "7", "duration": "1500", "concurrency": "4"}
        assert await read_limits(driver.server, driver.keys) == (4, RateLimit(7, per=1.5), 0, 0)
        await set_rate(driver.server, driver.keys, None)
        await set_concurrency(driver.server, driver.keys, None)
        assert await driver.fields(driver.keys.key("meta")) == {}
        assert await read_limits(driver.server, driver.keys) == (None, None, 0, 0)

    async def test_how_it_stands(self, driver: Driver) -> None:
        """How many have started, and how long nothing may."""
        await driver.add(*"abcd")
        await set_rate(driver.server, driver.keys, MINUTE)
        await driver.take(2)
        limits = await read_limits(driver.server, driver.keys)
        assert (limits.started, limits.held_ms) == (2, 0)
        await driver.take(2)
        limits = await read_limits(driver.server, driver.keys)
        assert limits.started == 3
        assert 0 < limits.held_ms <= 60_000

    async def test_how_it_stands_for_workers_with_a_limit(self, driver: Driver) -> None:
        """The queue does not know the limit of its workers: whoever does can ask with it. The queue's number wins."""
        workers = RateLimit(2, per=60)
        await driver.add(*"abcd")
        await ask(driver, 2, workers.max, workers.per_ms)
        assert (await read_limits(driver.server, driver.keys)).held_ms == 0
        assert 0 < (await read_limits(driver.server, driver.keys, workers)).held_ms <= 60_000
        await set_rate(driver.server, driver.keys, MINUTE)
        assert (await read_limits(driver.server, driver.keys, workers)).held_ms == 0

    async def test_a_change_reaches_those_who_wait(self, driver: Driver) -> None:
        """All who wait for the end of the limit are told, and one who waits for work is woken; what tells them
        does not stay for ever."""
        await driver.add(*"ab")
        for number, limit in enumerate((MINUTE, RateLimit(5, per=1), None), 1):
            await token(driver)
            await set_rate(driver.server, driver.keys, limit)
            assert await changes(driver) == number
            assert await token(driver)
        assert await driver.call("XLEN", driver.keys.key("limit_changes")) == 1
        assert await driver.call("PTTL", driver.keys.key("limit_changes")) > 0

    async def test_a_shorter_window_holds_at_once(self, driver: Driver) -> None:
        """A window that runs already lasts no longer than the new one; one that would end sooner stays."""
        await driver.add(*"abc")
        await set_rate(driver.server, driver.keys, RateLimit(1, per=3600))
        await driver.take_one()
        await set_rate(driver.server, driver.keys, RateLimit(1, per=60))
        assert 0 < (await ask(driver, 1)).limited_ms <= 60_000
        await set_rate(driver.server, driver.keys, RateLimit(1, per=7200))
        assert 0 < (await ask(driver, 1)).limited_ms <= 60_000
        await set_rate(driver.server, driver.keys, RateLimit(2, per=7200))
        assert len((await ask(driver, 1)).jobs) == 1

    async def test_a_service_that_asked_to_wait_is_still_heard(self, driver: Driver) -> None:
        """Setting a rate does not end a time in which nothing may start."""
        await driver.add("a")
        await hold_starts(driver.server, driver.keys, 60_000)
        await set_rate(driver.server, driver.keys, RateLimit(5, per=1))
        assert 59_000 < (await ask(driver, 1)).limited_ms <= 60_000

    async def test_more_concurrency_wakes(self, driver: Driver) -> None:
        """A higher limit wakes somebody when there is something to run, a lower one does not."""
        await driver.add(*"abc")
        await driver.take(2)
        await token(driver)
        for most, woken in ((2, False), (3, True), (1, False), (None, True)):
            await set_concurrency(driver.server, driver.keys, most)
            assert await token(driver) is woken

    async def test_nonsense_is_refused(self, driver: Driver) -> None:
        """Before anything is sent."""
        bad: Any
        for bad in (0, -1, 1.5, True, "3", MOST + 1):
            with pytest.raises(InvalidOption):
                await set_concurrency(driver.server, driver.keys, bad)
        for bad in (3, (3, 60), "3/s"):
            with pytest.raises(InvalidOption, match="RateLimit"):
                await set_rate(driver.server, driver.keys, bad)
        assert await driver.call("EXISTS", driver.keys.key("meta")) == 0


class TestConcurrency:
    """A place that becomes free goes to somebody at once."""

    @pytest.mark.parametrize("verb", [verb for verb in Verb if verb != Verb.WAIT_FOR_CHILDREN])
    async def test_an_exit_without_a_claim_wakes(self, driver: Driver, verb: Verb) -> None:
        """Whatever a run ends with: when its worker asks for no more and something is ready, another is woken."""
        await driver.add(*"abc")
        await set_concurrency(driver.server, driver.keys, 1)
        run = await driver.take_one()
        await token(driver)
        await driver.settle(end(run, verb, amount=0))
        assert await token(driver)

    async def test_a_claim_that_leaves_places_wakes(self, driver: Driver) -> None:
        """A worker that ends several and takes one leaves the other places to others."""
        await driver.add(*"abcdef")
        await set_concurrency(driver.server, driver.keys, 3)
        runs = await driver.take(3)
        await token(driver)
        reply = await driver.commit(*map(end, runs), claim=driver.a_claim(1))
        assert len(reply.jobs) == 1
        assert await token(driver)

    async def test_a_full_queue_wakes_nobody(self, driver: Driver) -> None:
        """As long as no place is free."""
        await driver.add(*"abcd")
        await set_concurrency(driver.server, driver.keys, 2)
        runs = await driver.take(2)
        await token(driver)
        await driver.commit(end(runs[0]), claim=driver.a_claim(1))
        await driver.add("e")
        assert not await token(driver)


windows = st.lists(
    st.tuples(st.integers(1, 6), st.sampled_from([0, 1, 40, 99, 100, 250]), st.booleans()), max_size=25
)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(most=st.integers(1, 5), steps=windows)
def test_the_law_of_the_window(redis_url: str, prefix: str, most: int, steps: list[Any]) -> None:
    """Whoever claims and ends jobs at whatever times, and however many they ask for: from the first start of a window
    on, no more than `most` start within `duration`, and nobody is kept waiting who might start."""
    asyncio.run(_play(redis_url, prefix, most, steps))


async def _play(redis_url: str, prefix: str, most: int, steps: list[Any]) -> None:
    engine = Server(ServerSettings(redis_url, prefix))
    driver = Driver(engine, await engine.link(), engine.keys("law"))
    await driver.call("DEL", *(driver.keys.key(name) for name in ("wait", "active", "limiter", "meta")))
    await driver.add(*(f"j{number}" for number in range(150)))
    opened, started = -1000, 0
    for wanted, later, settles in steps:
        driver.now += later
        if driver.now >= opened + 100:  # a key that expires, by the clock of the test
            await window_ends(driver)
            started = 0
        claims = await ask(driver, wanted, most, 3_600_000)
        assert len(claims.jobs) == min(wanted, most - started)
        assert (claims.limited_ms > 0) == (len(claims.jobs) < wanted)
        if claims.jobs and not started:
            opened = driver.now
        started += len(claims.jobs)
        assert started <= most
        if settles and claims.jobs:
            runs = held(f"t{wanted}", claims.jobs)
            await driver.call("DEL", *(f"{driver.keys.job(str(run.wire_id))}:lock" for run in runs))
            await driver.settle(*map(end, runs))
    await driver.link.close()
    await engine.close()
