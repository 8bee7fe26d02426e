"""Browse: counts, states and pages are what is there, whatever other clients have left (wire format §22)."""

from __future__ import annotations

from typing import Any

import pytest

from corral.contracts.states import JobState
from corral.engine import browse
from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.record import Verb
from corral.engine.report import append_log
from corral.errors import InvalidOption
from tests.engine.driver import Driver, end, new_job


async def one_of_each(driver: Driver) -> dict[str, JobState]:
    """A queue with a job in every state; ids by state."""
    await driver.add("done", "broke", "runs")
    done, broke, _ = await driver.take(3)
    await driver.settle(end(done, text='"r"'), end(broke, Verb.FAIL, "why"))
    await driver.add("waits", new_job("later", delay=50), new_job("urgent", priority=1))
    await driver.call("HSET", driver.keys.job("parent"), "name", "p", "data", "{}")
    await driver.call("ZADD", driver.keys.key("waiting_children"), 1, "parent")
    return {
        "done": JobState.COMPLETED,
        "broke": JobState.FAILED,
        "runs": JobState.ACTIVE,
        "waits": JobState.WAITING,
        "later": JobState.DELAYED,
        "urgent": JobState.PRIORITIZED,
        "parent": JobState.WAITING_CHILDREN,
        "nobody": JobState.UNKNOWN,
    }


async def test_the_state_of_each(driver: Driver) -> None:
    """Every state is found; an id that does not exist is unknown."""
    for wire_id, state in (await one_of_each(driver)).items():
        assert await browse.job_state(driver.server, driver.keys, wire_id) is state


async def test_counts(driver: Driver) -> None:
    """Each state is counted; what BullMQ 5 has parked counts as waiting."""
    await one_of_each(driver)
    await driver.call("RPUSH", driver.keys.key("paused"), "x", "y")
    counts = await browse.count_jobs(driver.server, driver.keys)
    assert counts.pop(JobState.WAITING) == 3
    assert set(counts.values()) == {1}
    assert len(counts) == 6


async def test_one_look(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts and states are read at one moment, in one call: a job on its way is never missed nor counted twice."""
    await driver.add("a")
    look = (browse.count_jobs, lambda server, keys: browse.job_state(server, keys, "a"))
    for read in look:
        await read(driver.server, driver.keys)
    calls: list[object] = []
    call = Link.call

    async def counted(link: Link, *words: Word, **options: Any) -> Any:
        calls.append(words[0])
        return await call(link, *words, **options)

    monkeypatch.setattr(Link, "call", counted)
    for read in look:
        await read(driver.server, driver.keys)
    assert calls == ["EVALSHA", "EVALSHA"]


async def test_a_snapshot(driver: Driver) -> None:
    """A job is read with its state; one that is gone is None."""
    await one_of_each(driver)
    job = await browse.read_job(driver.server, driver.keys, "broke")
    assert job is not None
    assert (job.id, job.state, job.failed_reason, job.attempts_made) == ("broke", JobState.FAILED, "why", 1)
    assert await browse.read_job(driver.server, driver.keys, "nobody") is None


class TestPages:
    """Lists come in pages, in the order in which they matter."""

    async def page(self, driver: Driver, state: JobState, start: int = 0, limit: int = 20) -> list[str]:
        """Ids of one page."""
        jobs = await browse.list_jobs(driver.server, driver.keys, state, start=start, limit=limit)
        assert {job.state for job in jobs} <= {state}
        return [job.id for job in jobs]

    async def test_waiting_in_the_order_of_running(self, driver: Driver) -> None:
        """The next to run comes first; pages meet without gap or overlap; beyond the end is nothing."""
        await driver.add(*"abcdefg")
        assert await self.page(driver, JobState.WAITING, 0, 3) == ["a", "b", "c"]
        assert await self.page(driver, JobState.WAITING, 3, 3) == ["d", "e", "f"]
        assert await self.page(driver, JobState.WAITING, 6, 3) == ["g"]
        assert await self.page(driver, JobState.WAITING, 9, 3) == []

    async def test_delayed_and_prioritized_in_the_order_of_running(self, driver: Driver) -> None:
        """The earliest due, the lowest number."""
        await driver.add(new_job("b", delay=20), new_job("a", delay=10))
        await driver.add(new_job("y", priority=2), new_job("x", priority=1))
        assert await self.page(driver, JobState.DELAYED) == ["a", "b"]
        assert await self.page(driver, JobState.PRIORITIZED) == ["x", "y"]

    @pytest.mark.parametrize(
        ("verb", "state"), [(Verb.COMPLETE, JobState.COMPLETED), (Verb.FAIL, JobState.FAILED)]
    )
    async def test_finished_newest_first(self, driver: Driver, verb: Verb, state: JobState) -> None:
        """What ended last comes first."""
        await driver.add(*"abc")
        for run in await driver.take(3):
            await driver.settle(end(run, verb))
            driver.now += 1
        assert await self.page(driver, state, 0, 2) == ["c", "b"]
        assert await self.page(driver, state, 2, 2) == ["a"]

    async def test_pages_are_bounded(self, driver: Driver) -> None:
        """No page is longer than a thousand, one of nothing is empty in every state, and none begins before the
        beginning."""
        for first in range(0, 1500, 500):
            await driver.add(*(f"j{number}" for number in range(first, first + 500)))
        assert len(await self.page(driver, JobState.WAITING, 0, 10**12)) == browse.MAX_PAGE
        await driver.call("RPUSH", driver.keys.key("paused"), "parked")
        for state in (JobState.WAITING, JobState.ACTIVE, JobState.COMPLETED, JobState.DELAYED):
            assert await self.page(driver, state, 0, 0) == []
        with pytest.raises(InvalidOption, match="start=-5"):
            await self.page(driver, JobState.WAITING, -5, 5)

    async def test_parked_ids_are_waiting(self, driver: Driver) -> None:
        """What BullMQ 5 has parked stands before what waits, as it runs, and pages go over both."""
        await driver.add(*"abc")
        await driver.call("RENAME", driver.keys.key("wait"), driver.keys.key("paused"))
        await driver.add(*"xyz")
        assert await self.page(driver, JobState.WAITING) == [*"abcxyz"]
        assert await self.page(driver, JobState.WAITING, 2, 2) == ["c", "x"]
        assert await self.page(driver, JobState.WAITING, 4, 2) == ["y", "z"]
        assert await self.page(driver, JobState.WAITING, 6, 2) == []

    async def test_a_page_is_few_calls(self, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
        """A page costs a round trip, and one more for each further 250 jobs, or for each mebibyte of large ones."""
        await driver.add(*(f"j{number}" for number in range(400)))
        await driver.add(
            *(new_job(f"big{number}", delay=1, data='"' + "x" * 400_000 + '"') for number in range(7))
        )
        await self.page(driver, JobState.WAITING, 0, 300)
        calls: list[object] = []
        call = Link.call

        async def counted(link: Link, *words: Word, **options: Any) -> Any:
            calls.append(words[0])
            return await call(link, *words, **options)

        monkeypatch.setattr(Link, "call", counted)
        for state, limit, trips in (
            (JobState.WAITING, 20, 1),
            (JobState.WAITING, 400, 2),
            (JobState.DELAYED, 20, 3),
        ):
            calls.clear()
            await self.page(driver, state, 0, limit)
            assert len(calls) == trips

    async def test_ghosts_and_strangers(self, driver: Driver) -> None:
        """An id without a hash is left out; one whose key holds something else is shown as malformed."""
        await driver.add("a")
        await driver.call("LPUSH", driver.keys.key("wait"), "ghost", "bad")
        await driver.call("SET", driver.keys.job("bad"), "bytes")
        await driver.call("HSET", driver.keys.job("odd"), b"\xff", b"\xfe", "data", "{", "atm", "x")
        await driver.call("LPUSH", driver.keys.key("wait"), "odd")
        jobs = await browse.list_jobs(driver.server, driver.keys, JobState.WAITING)
        assert [job.id for job in jobs] == ["a", "bad", "odd"]
        assert jobs[1].malformed
        assert jobs[2].malformed.keys() >= {"data", "atm", "name"}
        found = await browse.read_job(driver.server, driver.keys, "bad")
        assert found is not None
        assert found.malformed


class TestEnding:
    """Whether and how a job ended."""

    async def test_each(self, driver: Driver) -> None:
        """Completed with its result, failed with its reason, not ended, or not there."""
        await one_of_each(driver)
        read = browse.read_ending
        done = await read(driver.server, driver.keys, "done")
        assert (done.state, done.returnvalue, done.attempts_made) == (JobState.COMPLETED, b'"r"', 1)
        broke = await read(driver.server, driver.keys, "broke")
        assert (broke.state, broke.failed_reason) == (JobState.FAILED, "why")
        runs = await read(driver.server, driver.keys, "runs")
        assert (runs.exists, runs.state) == (True, None)
        assert not (await read(driver.server, driver.keys, "nobody")).exists

    async def test_a_retried_job_has_not_ended(self, driver: Driver) -> None:
        """A failed attempt is no end."""
        await driver.add("a")
        await driver.settle(end(await driver.take_one(), Verb.RETRY, "again"))
        assert (await browse.read_ending(driver.server, driver.keys, "a")).state is None


async def test_logs(driver: Driver) -> None:
    """Log lines come oldest first, in pages."""
    await driver.add("a")
    run = await driver.take_one()
    for number in range(5):
        await append_log(driver.server, driver.keys, run, f"line {number}", keep=4)
    logs = await browse.read_logs(driver.server, driver.keys, "a", start=1, limit=2)
    assert logs == ["line 2", "line 3"]
    assert await browse.read_logs(driver.server, driver.keys, "a", limit=0) == []
    assert await browse.read_logs(driver.server, driver.keys, "nobody") == []


async def test_metrics(driver: Driver) -> None:
    """Totals and minutes; nothing where nothing was counted."""
    nothing = await browse.read_metrics(driver.server, driver.keys, JobState.COMPLETED)
    assert (nothing.total, nothing.minutes) == (0, [])
    for _ in range(2):
        await driver.add("a")
        await driver.settle(end(await driver.take_one(), keep=0), points=10)
        driver.now += 60_000
    found = await browse.read_metrics(driver.server, driver.keys, JobState.COMPLETED)
    assert (found.total, found.minutes) == (2, [1])


async def test_paused(driver: Driver) -> None:
    """A queue is paused while its meta says so, whatever the value."""
    assert not await browse.is_paused(driver.server, driver.keys)
    await driver.call("HSET", driver.keys.key("meta"), "paused", "0")
    assert await browse.is_paused(driver.server, driver.keys)


async def test_queues_are_found(driver: Driver) -> None:
    """A queue exists where it has a meta hash: jobs of the same ending, other prefixes and relays are none."""
    engine, prefix = driver.server, driver.keys.prefix
    for name in ("mail", "b*c", "[x]"):
        other = Driver(engine, driver.link, QueueKeys(prefix, driver.keys.queue + name))
        await other.add("a")
    await driver.call("HSET", f"{prefix}::relay:{driver.keys.queue}:meta", "x", 1)
    await driver.call("HSET", f"{prefix}x:{driver.keys.queue}:meta", "x", 1)
    found = {name.removeprefix(driver.keys.queue) async for name in browse.list_queues(engine)}
    assert found == {"mail", "b*c", "[x]"}
