"""Claim: a worker takes ready jobs (wire format §§9, 11, 15, 25)."""

from __future__ import annotations

import pytest

from corral.engine.claim import Claim
from corral.engine.record import Verb
from tests.engine.driver import LOCK_MS, Driver, end, held, new_job

UNTIL_DUE = 4096


async def test_a_start(driver: Driver) -> None:
    """A start locks the job, counts it, notes time and worker, and says `active` from `waiting`."""
    await driver.add(new_job("a", name="mail", data="1", opts="{}"))
    await driver.forget_events()
    driver.now += 7
    claims = await driver.claim(Claim(1, "tok", 5_000, "anna"))
    (job,) = claims.jobs
    assert (job.wire_id, job.name, job.data, job.opts, job.starts) == (b"a", b"mail", b"1", b"{}", 1)
    assert (job.made, job.stalls, job.deferred, job.parent_key) == (None, None, None, None)
    assert claims.now == driver.now
    stored = await driver.fields("a")
    assert (stored["ats"], stored["processedOn"], stored["pb"]) == ("1", str(driver.now), "anna")
    assert await driver.call("GET", driver.keys.job("a") + ":lock") == "tok"
    assert 0 < await driver.call("PTTL", driver.keys.job("a") + ":lock") <= 5_000
    assert await driver.events() == [{"event": "active", "jobId": "a", "prev": "waiting"}]


async def test_nameless_workers_leave_no_name(driver: Driver) -> None:
    """Without a worker name no `pb` is written."""
    await driver.add("a")
    await driver.take_one()
    assert "pb" not in await driver.fields("a")


async def test_order(driver: Driver) -> None:
    """All of `wait` comes before any priority; then the lowest number, then the first to arrive."""
    await driver.add(new_job("p2", priority=2), new_job("p1", priority=1), new_job("q1", priority=1), "w")
    assert [run.wire_id for run in await driver.take(9)] == ["w", "p1", "q1", "p2"]
    assert await driver.active() == ["p2", "q1", "p1", "w"]


@pytest.mark.parametrize("wanted", [1, 2, 3])
async def test_never_more_than_wanted(driver: Driver, wanted: int) -> None:
    """A claim gives out what was asked for at most; the rest stays where it was."""
    await driver.add("a", "b", new_job("c", priority=1), new_job("d", priority=1))
    taken = [run.wire_id for run in await driver.take(wanted)]
    assert taken == ["a", "b", "c"][:wanted]
    left = await driver.waiting() + list(await driver.scores("prioritized"))
    assert left == ["a", "b", "c", "d"][wanted:]


async def test_nothing_to_do(driver: Driver) -> None:
    """An empty queue answers at once with no jobs, no limit and nothing due; the priority sequence starts anew."""
    await driver.call("SET", driver.keys.key("pc"), 9)
    claims = await driver.claim(driver.a_claim(3))
    assert (claims.jobs, claims.limited_ms, claims.next_due) == ([], 0, 0)
    assert await driver.call("EXISTS", driver.keys.key("pc")) == 0


async def test_many_at_once(driver: Driver) -> None:
    """Thousands can be claimed in one call, in their order."""
    for first in range(0, 6000, 500):
        await driver.add(*(f"j{number}" for number in range(first, first + 500)))
    taken = await driver.take(5000)
    assert [run.wire_id for run in taken] == [f"j{number}" for number in range(5000)]


class TestPromotion:
    """Delayed jobs become ready when they are due, inside every claim."""

    async def test_due_jobs_run_in_order_of_their_time(self, driver: Driver) -> None:
        """What is due goes behind those that wait, the earliest first; priority 0 to wait, others prioritized."""
        await driver.add(
            new_job("b", delay=20), new_job("a", delay=10), new_job("p", delay=5, priority=1), "w"
        )
        driver.now += 20
        assert [run.wire_id for run in await driver.take(9)] == ["w", "a", "b", "p"]

    async def test_to_the_millisecond(self, driver: Driver) -> None:
        """A job is not started before its time, and is when the clock shows it."""
        await driver.add(new_job("a", delay=10))
        driver.now += 9
        claims = await driver.claim(driver.a_claim(1))
        assert (claims.jobs, claims.next_due) == ([], driver.now + 1)
        driver.now += 1
        assert [run.wire_id for run in await driver.take(1)] == ["a"]

    async def test_what_it_writes(self, driver: Driver) -> None:
        """Promotion sets `delay` to 0 and says `waiting` from `delayed`, also when nothing may start."""
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1)
        await driver.add(new_job("a", delay=10))
        await driver.forget_events()
        driver.now += 10
        assert await driver.take(1) == []
        assert (await driver.fields("a"))["delay"] == "0"
        assert await driver.waiting() == ["a"]
        assert await driver.events() == [{"event": "waiting", "jobId": "a", "prev": "delayed"}]

    async def test_at_most_a_thousand(self, driver: Driver) -> None:
        """One call promotes a thousand, so that a flood due at once does not hold the server; none is lost."""
        for first in range(0, 1500, 500):
            await driver.add(*(new_job(f"j{number}", delay=10) for number in range(first, first + 500)))
        driver.now += 10
        assert [run.wire_id for run in await driver.take(1)] == ["j0"]
        assert len(await driver.scores("delayed")) == 500
        assert [run.wire_id for run in await driver.take(1500)] == [f"j{number}" for number in range(1, 1500)]

    async def test_what_is_beyond_all_counting(self, driver: Driver) -> None:
        """A delay longer than a score can count ends at the last time there is, behind all others."""
        await driver.add(new_job("a", delay=2**53 - 1), new_job("b", delay=10))
        assert list(await driver.scores("delayed")) == ["b", "a"]
        assert (await driver.claim(driver.a_claim(1))).next_due == driver.now + 10
        driver.now += 10
        assert [run.wire_id for run in await driver.take(9)] == ["b"]
        assert (await driver.claim(driver.a_claim(1))).next_due > 2**50

    async def test_a_snooze_beyond_all_counting(self, driver: Driver) -> None:
        """The same holds for what a run puts off, and for the token that says when it is due."""
        await driver.add("a")
        run = await driver.take_one()
        await driver.call("DEL", driver.keys.key("marker"))
        assert await driver.settle(end(run, Verb.SNOOZE, amount=2**53 - 1)) == [0]
        assert (await driver.scores("delayed"))["a"] > 2**62
        assert (await driver.scores("marker"))["1"] > 2**50

    @pytest.mark.parametrize("score", ["-9223372036854775808", "-inf"])
    async def test_a_score_below_zero(self, driver: Driver, score: str) -> None:
        """Whoever wrote it: the job is due."""
        await driver.call("HSET", driver.keys.job("a"), "name", "n")
        await driver.call("ZADD", driver.keys.key("delayed"), score, "a")
        assert [run.wire_id for run in await driver.take(1)] == ["a"]

    async def test_a_score_without_end(self, driver: Driver) -> None:
        """What is never due makes nobody ask again and again."""
        await driver.call("ZADD", driver.keys.key("delayed"), "+inf", "a")
        assert (await driver.claim(driver.a_claim(1))).next_due > 2**50
        await driver.add(new_job("b", delay=10))
        await driver.call("ZREM", driver.keys.key("delayed"), "b")
        assert (await driver.scores("marker"))["1"] == driver.now + 10

    async def test_a_paused_queue_of_version_5_parks(self, driver: Driver) -> None:
        """Paused by BullMQ 5, due jobs go to its `paused` list."""
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1, "version", "bullmq:5.61.2")
        await driver.add(new_job("a", delay=10))
        driver.now += 10
        await driver.take(1)
        assert await driver.call("LRANGE", driver.keys.key("paused"), 0, -1) == ["a"]

    async def test_another_clients_scores(self, driver: Driver) -> None:
        """A delayed member without a hash is promoted, then dropped: no stub of a hash appears."""
        await driver.call("ZADD", driver.keys.key("delayed"), driver.now * UNTIL_DUE, "ghost")
        assert await driver.take(1) == []
        assert await driver.fields("ghost") == {}
        assert await driver.active() == []


class TestBaton:
    """After a claim one more worker is woken if there is work left (§9)."""

    async def test_work_is_left(self, driver: Driver) -> None:
        """A full claim that leaves ready jobs, prioritized ones too, leaves a token."""
        for job in (new_job("b"), new_job("b", priority=1)):
            await driver.add("a", job)
            await driver.call("DEL", driver.keys.key("marker"))
            runs = await driver.take(1)
            assert await driver.scores("marker") == {"0": 0}
            runs += await driver.take(1)
            await driver.settle(*(end(run, keep=0) for run in runs))

    async def test_nothing_is_left(self, driver: Driver) -> None:
        """A claim that empties the queue leaves no token: nobody is woken for nothing."""
        await driver.add("a", "b")
        await driver.call("DEL", driver.keys.key("marker"))
        await driver.take(2)
        assert await driver.scores("marker") == {}

    async def test_settling_passes_it_too(self, driver: Driver) -> None:
        """A worker that settles without claiming wakes another for what is ready."""
        await driver.add("a", "b")
        run = await driver.take_one()
        await driver.call("DEL", driver.keys.key("marker"))
        await driver.settle(end(run))
        assert await driver.scores("marker") == {"0": 0}

    async def test_not_while_full_or_paused(self, driver: Driver) -> None:
        """No token while nothing may start."""
        await driver.add("a", "b", "c")
        await driver.call("HSET", driver.keys.key("meta"), "concurrency", 1)
        await driver.call("DEL", driver.keys.key("marker"))
        run = await driver.take_one()
        assert await driver.scores("marker") == {}
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1)
        await driver.settle(end(run))
        assert await driver.scores("marker") == {}

    async def test_a_retry_frees_a_place(self, driver: Driver) -> None:
        """A job put back by the only run of a queue with concurrency 1 wakes somebody."""
        await driver.call("HSET", driver.keys.key("meta"), "concurrency", 1)
        await driver.add("a")
        run = await driver.take_one()
        await driver.call("DEL", driver.keys.key("marker"))
        await driver.settle(end(run, Verb.RETRY, "again"))
        assert await driver.scores("marker") == {"0": 0}


class TestStrayIds:
    """What other clients may have left in the lists."""

    async def test_ghosts_are_skipped(self, driver: Driver) -> None:
        """An id without a hash is dropped and its place goes to the next; no stub of a hash is created."""
        await driver.add("a")
        await driver.call("LINSERT", driver.keys.key("wait"), "AFTER", "a", "ghost")
        await driver.add("b")
        assert [run.wire_id for run in await driver.take(2)] == ["a", "b"]
        assert await driver.fields("ghost") == {}
        assert await driver.active() == ["b", "a"]

    @pytest.mark.parametrize("stray", ["ghost-{}", "0:{}"])
    async def test_a_long_line_of_them(self, driver: Driver, stray: str) -> None:
        """A call drops some hundreds and leaves a token, so that no call holds the server; the next ones get on."""
        await driver.add("a")
        strays = [stray.format(number) for number in range(5000)]
        await driver.call("RPUSH", driver.keys.key("wait"), *strays)
        claims = 1
        while not (taken := await driver.take(1)):
            assert await driver.call("ZPOPMIN", driver.keys.key("marker")) == ["0", "0"]
            assert await driver.call("LLEN", driver.keys.key("wait")) == 5001 - 500 * claims
            claims += 1
        assert claims == 11
        assert [run.wire_id for run in taken] == ["a"]
        assert await driver.active() == ["a"]

    async def test_a_settlement_meets_a_long_line_of_them(self, driver: Driver) -> None:
        """Also where the settlement makes the only place of the queue: the token comes all the same."""
        await driver.call("HSET", driver.keys.key("meta"), "concurrency", 1)
        await driver.add("a", "b")
        run = await driver.take_one()
        await driver.call("RPUSH", driver.keys.key("wait"), *(f"ghost-{number}" for number in range(600)))
        await driver.call("DEL", driver.keys.key("marker"))
        assert (await driver.commit(end(run), claim=driver.a_claim(1))).jobs == []
        assert await driver.scores("marker") == {"0": 0}
        assert [run.wire_id for run in await driver.take(1)] == ["b"]

    async def test_markers_of_version_4(self, driver: Driver) -> None:
        """List members that begin with `0:` are wake-up tokens of old clients: dropped."""
        await driver.call("RPUSH", driver.keys.key("wait"), "0:99")
        await driver.add("a")
        assert [run.wire_id for run in await driver.take(1)] == ["a"]
        assert await driver.active() == ["a"]

    async def test_a_key_of_the_wrong_type(self, driver: Driver) -> None:
        """A job whose key holds no hash goes to failed with a reason, its bytes kept; the others run."""
        await driver.call("SET", driver.keys.job("bad"), "bytes")
        await driver.call("LPUSH", driver.keys.key("wait"), "bad")
        await driver.add("a")
        await driver.forget_events()
        assert [run.wire_id for run in await driver.take(2)] == ["a"]
        assert await driver.scores("failed") == {"bad": driver.now}
        assert await driver.call("GET", driver.keys.job("bad")) == "bytes"
        (failed,) = await driver.events("failed")
        assert (failed["jobId"], failed["failedReason"]) == (
            "bad",
            "the key of this job does not hold a hash",
        )

    async def test_a_wrong_type_among_the_delayed(self, driver: Driver) -> None:
        """A due job whose key holds no hash does not keep the others from being promoted."""
        await driver.add(new_job("a", delay=10), new_job("z", delay=12))
        await driver.call("SET", driver.keys.job("bad"), "bytes")
        await driver.call("ZADD", driver.keys.key("delayed"), (driver.now + 11) * UNTIL_DUE, "bad")
        driver.now += 12
        assert [run.wire_id for run in await driver.take(3)] == ["a", "z"]
        assert list(await driver.scores("failed")) == ["bad"]

    async def test_a_hash_without_data(self, driver: Driver) -> None:
        """A hash that lacks name or data is handed out as it is: the worker decides, and the job is locked."""
        await driver.call("HSET", driver.keys.job("half"), "name", "n", "ats", "x", "atm", "y")
        await driver.call("LPUSH", driver.keys.key("wait"), "half")
        claim = driver.a_claim(1)
        (job,) = (await driver.claim(claim)).jobs
        assert (job.name, job.data, job.starts) == (b"n", None, 1)
        assert await driver.settle(end(held(claim.token, [job])[0], Verb.FAIL, "no data")) == [0]


class TestLimits:
    """Settings of the queue that hold for all its workers (§§15, 25)."""

    async def test_paused(self, driver: Driver) -> None:
        """A paused queue hands out nothing."""
        await driver.add("a", new_job("b", priority=1))
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1)
        assert await driver.take(9) == []

    async def test_concurrency(self, driver: Driver) -> None:
        """No more run at once than `concurrency` says, whoever asks; an end makes room, in the same call too."""
        await driver.add("a", "b", "c", "d")
        await driver.call("HSET", driver.keys.key("meta"), "concurrency", 2)
        runs = await driver.take(9)
        assert [run.wire_id for run in runs] == ["a", "b"]
        assert await driver.take(1) == []
        reply = await driver.commit(end(runs[0]), claim=driver.a_claim(9))
        assert [job.wire_id for job in reply.jobs] == [b"c"]

    async def test_rate(self, driver: Driver) -> None:
        """`max` starts in a window of `duration`; then the answer is how long to wait."""
        await driver.add(*"abcde")
        await driver.call("HSET", driver.keys.key("meta"), "max", 3, "duration", 60_000)
        assert len(await driver.take(2)) == 2
        assert 0 < await driver.call("PTTL", driver.keys.key("limiter")) <= 60_000
        assert len(await driver.take(2)) == 1
        claims = await driver.claim(driver.a_claim(2))
        assert claims.jobs == []
        assert 0 < claims.limited_ms <= 60_000
        await driver.call("DEL", driver.keys.key("limiter"))
        assert len(await driver.take(9)) == 2

    async def test_a_limiter_without_end_is_dropped(self, driver: Driver) -> None:
        """A counter that would never expire does not stop the queue for ever."""
        await driver.add("a")
        await driver.call("HSET", driver.keys.key("meta"), "max", 1, "duration", 1000)
        await driver.call("SET", driver.keys.key("limiter"), 5)
        assert len(await driver.take(1)) == 1
        assert await driver.call("PTTL", driver.keys.key("limiter")) > 0

    async def test_without_max_the_limiter_is_not_looked_at(self, driver: Driver) -> None:
        """A counter left behind counts only where a rate limit is set."""
        await driver.add("a")
        await driver.call("SET", driver.keys.key("limiter"), 99)
        assert len(await driver.take(1)) == 1

    async def test_deferred_failures_do_not_count(self, driver: Driver) -> None:
        """A job that only carries its failure (`defa`) does not use up the rate."""
        await driver.add("a", "b")
        await driver.call("HSET", driver.keys.job("a"), "defa", "why")
        await driver.call("HSET", driver.keys.key("meta"), "max", 1, "duration", 60_000)
        claims = await driver.claim(driver.a_claim(1))
        assert claims.jobs[0].deferred == b"why"
        assert [run.wire_id for run in await driver.take(1)] == ["b"]
        assert await driver.call("GET", driver.keys.key("limiter")) == "1"


class TestSentAgain:
    """A claim whose reply was lost gives the same jobs when it is sent again."""

    async def test_the_same_jobs_and_no_byte_changed(self, driver: Driver) -> None:
        """The same fields of the same jobs; nothing on the server moves."""
        await driver.add(new_job("a", priority=3, data='"x"'), new_job("b", rule={"id": "d"}), "c")
        claim = driver.a_claim(2, "w", 1)
        first = await driver.claim(claim)
        before = await driver.bytes_of_all()
        driver.now += 3
        again = await driver.claim(claim)
        assert again.jobs == first.jobs
        assert [job.wire_id for job in again.jobs] == [b"b", b"c"]
        assert await driver.bytes_of_all() == before

    async def test_only_what_is_still_held(self, driver: Driver) -> None:
        """Jobs that another worker has taken since are not given out a second time."""
        await driver.add("a", "b")
        claim = driver.a_claim(2, "w", 1)
        await driver.claim(claim)
        await driver.lose_lock("a")
        await driver.check_stalled()
        await driver.check_stalled()
        other = await driver.take_one()
        assert other.wire_id == "a"
        assert [job.wire_id for job in (await driver.claim(claim)).jobs] == [b"b"]

    async def test_a_lock_that_ran_out_is_taken_again(self, driver: Driver) -> None:
        """When the locks ran out before the call could be sent again, and nobody else has started the jobs, they are
        given out with new locks, and did not stall."""
        await driver.add("a", "b", "c")
        claim = driver.a_claim(3, "w", 1)
        first = await driver.claim(claim)
        await driver.check_stalled()
        await driver.lose_lock("a")
        await driver.lose_lock("b")
        await driver.call("LREM", driver.keys.key("active"), 1, "b")
        again = await driver.claim(claim)
        assert [job.wire_id for job in again.jobs] == [b"a", b"c"]
        assert again.jobs[0] == first.jobs[0]
        assert await driver.call("GET", driver.keys.job("a") + ":lock") == claim.token
        assert 0 < await driver.call("PTTL", driver.keys.job("a") + ":lock") <= LOCK_MS
        assert await driver.check_stalled() == []

    async def test_an_empty_answer_is_no_answer(self, driver: Driver) -> None:
        """A claim that got nothing may get jobs when it is sent again."""
        claim = driver.a_claim(1, "w", 1)
        assert (await driver.claim(claim)).jobs == []
        await driver.add("a")
        assert len((await driver.claim(claim)).jobs) == 1

    async def test_locks_last_as_asked(self, driver: Driver) -> None:
        """The lock of every job lasts as long as the claim says."""
        await driver.add("a")
        await driver.take(1)
        assert 0 < await driver.call("PTTL", driver.keys.job("a") + ":lock") <= LOCK_MS
