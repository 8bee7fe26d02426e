"""Report: effects that happen once, call by call."""

from __future__ import annotations

from corral.engine.record import Refusal
from corral.engine.recover import Held
from corral.engine.report_effect import (
    ENTERED,
    HAPPENED,
    INSIDE,
    Begun,
    begin_effect,
    finish_effect,
    leave_effect,
)
from tests.engine.driver import Driver, end


async def begin(driver: Driver, run: Held) -> Begun:
    """Enter the effect `k`."""
    return await begin_effect(driver.server, driver.keys, run, "k")


async def finish(driver: Driver, run: Held, result: bytes = b"1") -> int:
    """Keep its result."""
    return await finish_effect(driver.server, driver.keys, run, "k", result, 60_000)


async def two(driver: Driver) -> list[Held]:
    """Two runs of two jobs."""
    await driver.add("a", "b")
    return await driver.take(2)


async def test_one_enters_and_all_get_the_result(driver: Driver) -> None:
    """Another run is told who is inside, and the result when there is one; the record ends."""
    first, second = await two(driver)
    assert await begin(driver, first) == (ENTERED, b"")
    assert await begin(driver, second) == (INSIDE, b"a")
    assert await driver.call("PTTL", driver.keys.key("once") + "k") > 86_400_000
    assert await finish(driver, first) == 0
    assert await begin(driver, second) == (HAPPENED, b"1")
    assert 0 < await driver.call("PTTL", driver.keys.key("once") + "k") <= 60_000


async def test_sent_again(driver: Driver) -> None:
    """A call whose answer was lost means the same the second time."""
    first, second = await two(driver)
    assert [await begin(driver, first) for _ in "ab"] == [(ENTERED, b"")] * 2
    assert [await finish(driver, first) for _ in "ab"] == [0, 0]
    assert await begin(driver, second) == (HAPPENED, b"1")


async def test_one_that_failed_leaves(driver: Driver) -> None:
    """The next may enter; a result that is kept is not taken back, and nobody leaves for another."""
    first, second = await two(driver)
    await begin(driver, first)
    assert not await leave_effect(driver.server, driver.keys, second, "k")
    assert await leave_effect(driver.server, driver.keys, first, "k")
    assert await begin(driver, second) == (ENTERED, b"")
    await finish(driver, second)
    assert not await leave_effect(driver.server, driver.keys, second, "k")


async def test_one_that_died_is_replaced(driver: Driver) -> None:
    """Without its lock it is not inside; what it brings later is refused once another has entered, and kept before."""
    first, second = await two(driver)
    await begin(driver, first)
    await driver.lose_lock("a")
    assert await begin(driver, second) == (ENTERED, b"")
    assert await finish(driver, first) == Refusal.SUPERSEDED
    assert await finish(driver, second, b"2") == 0
    assert await begin(driver, first) == (HAPPENED, b"2")


async def test_the_effect_of_a_run_that_is_over(driver: Driver) -> None:
    """It has happened: its result is kept, as long as nobody else has entered."""
    first, second = await two(driver)
    await begin(driver, first)
    await driver.settle(end(first))
    assert await finish(driver, first) == 0
    assert await begin(driver, second) == (HAPPENED, b"1")


async def test_a_run_that_is_over_enters_nothing(driver: Driver) -> None:
    """Nor does one whose job is gone, or held by another."""
    first, second = await two(driver)
    await driver.settle(end(first))
    assert (await begin(driver, first)).code == Refusal.SUPERSEDED
    assert (await begin(driver, second._replace(token="other"))).code == Refusal.HELD_BY_ANOTHER
    await driver.call("DEL", driver.keys.job("b"))
    assert (await begin(driver, second)).code == Refusal.NO_JOB
    assert await driver.call("EXISTS", driver.keys.key("once") + "k") == 0


async def test_the_next_run_of_the_same_job(driver: Driver) -> None:
    """Enters anew: the one before is not inside any more."""
    await driver.add("a")
    run = await driver.take_one()
    await begin(driver, run)
    await driver.check_stalled()
    await driver.lose_lock("a")
    await driver.check_stalled()
    again = await driver.take_one()
    assert await begin(driver, again) == (ENTERED, b"")
    assert await finish(driver, run) == Refusal.SUPERSEDED
