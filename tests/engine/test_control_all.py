"""Many jobs, page by page: every job that stays is met once, whatever comes and goes meanwhile."""

from __future__ import annotations

import random

import pytest

from corral.contracts.states import JobState
from corral.engine.browse import count_between
from corral.engine.browse_pages import count_matching
from corral.engine.control_all import Page, Place, Selection, promote_page, retry_matching
from corral.engine.record import Verb
from corral.engine.sender import Sent
from tests.engine.driver import Driver, end, new_job

ALL = 2**53


async def fail(driver: Driver, *wire_ids: str, reason: str = "why") -> None:
    """Jobs that have failed, all in this millisecond."""
    await driver.add(*wire_ids)
    await driver.settle(*(end(run, Verb.FAIL, reason) for run in await driver.take(len(wire_ids))))


async def retry(driver: Driver, place: Place, *, size: int = 2, most: int = ALL, reason: str = "") -> Page:
    """One step over the failed jobs up to now, taken in the next millisecond."""
    selection = Selection(JobState.FAILED, driver.now, reason=reason)
    return await retry_matching(
        driver.server, driver.keys, selection, place, most=most, size=size, clock=driver.now + 1
    )


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_every_job_is_met_once(driver: Driver, size: int) -> None:
    """Pages of any size meet all jobs in the order of their end, and of their ids' bytes within one millisecond."""
    await fail(driver, "b", "a", "c", "B", "ä", "aa")
    driver.now += 5
    await fail(driver, "z", "0x")
    place, met = Place(), list[str]()
    while True:
        page = await retry(driver, place, size=size)
        met += [one for one in await driver.waiting() if one not in met]
        if page.seen == 0:
            break
        assert page.taken == page.seen <= size
        place = page.end
    assert met == ["B", "a", "aa", "b", "c", "ä", "0x", "z"]


async def test_only_what_matches(driver: Driver) -> None:
    """What does not match stays, and is not met again; the count says the same before."""
    for number in range(20):
        await fail(driver, f"j{number}", reason="time out" if number % 3 else "refused %d [x]")
    selection = Selection(JobState.FAILED, driver.now, reason="%d [")
    counted, place, looks = 0, Place(), 0
    while (page := await count_matching(driver.server, driver.keys, selection, place, size=6)).seen:
        counted, place, looks = counted + page.taken, page.end, looks + page.seen
    assert (counted, looks) == (7, 20)
    retried, place, looks = 0, Place(), 0
    while (page := await retry(driver, place, size=6, reason="%d [")).seen:
        retried, place, looks = retried + page.taken, page.end, looks + page.seen
    assert (retried, looks) == (7, 20)
    assert await driver.waiting() == sorted((f"j{number}" for number in range(0, 20, 3)), key=str.encode)


@pytest.mark.parametrize("seed", range(8))
async def test_what_stays_is_met_whatever_goes(driver: Driver, seed: int) -> None:
    """While others retry, remove and add jobs between two pages, each job that stays is met exactly once."""
    dice = random.Random(seed)
    ids = [f"j{number:02}" for number in range(40)]
    for wire_id in ids:
        await fail(driver, wire_id)
        driver.now += dice.choice((0, 0, 1))
    selection = Selection(JobState.FAILED, driver.now, name="nobody")
    removed, place, seen = set[str](), Place(), 0
    while (page := await count_matching(driver.server, driver.keys, selection, place, size=3)).seen:
        place, seen = page.end, seen + page.seen
        here = int(str(place.job_id, "ascii")[1:]) if isinstance(place.job_id, bytes) else -1
        for gone in dice.sample(ids, 4):
            if int(gone[1:]) > here:
                removed.add(gone)
            await driver.call("ZREM", driver.keys.key("failed"), gone)
    assert seen == len(ids) - len(removed)


async def test_at_most_so_many(driver: Driver) -> None:
    """A step stops at the most that it may retry, and the next one goes on behind it."""
    await fail(driver, *"abcde")
    page = await retry(driver, Place(), size=100, most=2)
    assert (page.seen, page.taken, await driver.waiting()) == (2, 2, ["a", "b"])
    page = await retry(driver, page.end, size=100, most=2)
    assert await driver.waiting() == ["a", "b", "c", "d"]


async def test_not_in_its_own_millisecond(driver: Driver) -> None:
    """Nothing is done before the last moment that counts is over: a job that fails again at once is not met twice."""
    await fail(driver, "a")
    selection = Selection(JobState.FAILED, driver.now)
    before = await driver.bytes_of_all()
    page = await retry_matching(driver.server, driver.keys, selection, Place(), most=9, clock=driver.now)
    assert (page.seen, page.taken, page.end) == (-1, 0, (b"-inf", b""))
    assert await driver.bytes_of_all() == before
    driver.now += 1
    await retry_matching(driver.server, driver.keys, selection, Place(), most=9, clock=driver.now)
    await driver.settle(end(await driver.take_one(), Verb.FAIL, "again"))
    page = await retry_matching(driver.server, driver.keys, selection, Place(), most=9, clock=driver.now)
    assert (page.seen, await driver.waiting()) == (0, [])


async def test_a_step_sent_again(driver: Driver) -> None:
    """A step whose reply was lost gives the same answer, and retries or promotes nothing more."""
    await fail(driver, *"abc")
    selection = Selection(JobState.FAILED, driver.now)
    driver.now += 1
    sent = Sent("s", 1)
    answers = []
    for _ in range(2):
        page = await retry_matching(
            driver.server, driver.keys, selection, Place(), most=2, sent=sent, clock=driver.now
        )
        answers.append(page)
        await driver.settle(*(end(run) for run in await driver.take(5)))
    assert answers[0] == answers[1]
    assert len(await driver.events("completed")) == 2
    await driver.add(*(new_job(letter, delay=5) for letter in "xyz"))
    answers = [
        await promote_page(driver.server, driver.keys, Place(), "+inf", Sent("s", 2), size=2)
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert await driver.waiting() == ["x", "y"]


async def test_promotion_keeps_the_order(driver: Driver) -> None:
    """Jobs become ready in the order in which they were due, those with a priority by it; none beyond the bound."""
    jobs = [
        new_job(f"j{number}", delay=(number * 7) % 20 + 1, priority=number % 3 // 2) for number in range(20)
    ]
    await driver.add(*jobs)
    between = await count_between(
        driver.server, driver.keys, JobState.DELAYED, "-inf", "+inf", clock=driver.now
    )
    assert (between.now, between.members) == (driver.now, 20)
    await driver.add(new_job("later", delay=1000))
    place, promoted = Place(), 0
    while (page := await promote_page(driver.server, driver.keys, place, between.highest, size=3)).seen:
        place, promoted = page.end, promoted + page.taken
    assert promoted == 20
    order = sorted(range(20), key=lambda number: (number * 7) % 20)
    assert await driver.waiting() == [f"j{number}" for number in order if number % 3 != 2]
    assert [*await driver.scores("prioritized")] == [f"j{number}" for number in order if number % 3 == 2]
    assert [*await driver.scores("delayed")] == ["later"]
