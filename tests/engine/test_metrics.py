"""Metrics: how many jobs ended in each past minute (wire format §26)."""

from __future__ import annotations

import pytest

from corral.engine.record import Verb
from tests.engine.driver import Driver, end

MINUTE = 60_000


class Meter:
    """One kind of end, counted by the minute."""

    def __init__(self, driver: Driver, verb: Verb, points: int = 10) -> None:
        self.driver = driver
        self.verb = verb
        self.points = points
        self.name = "metrics_completed" if verb is Verb.COMPLETE else "metrics_failed"

    async def finish(self, count: int = 1) -> None:
        """End so many jobs in one call."""
        await self.driver.add(*(f"j{self.driver.now}-{number}" for number in range(count)))
        runs = await self.driver.take(count)
        await self.driver.settle(*(end(run, self.verb, keep=0) for run in runs), points=self.points)

    async def totals(self) -> dict[str, int]:
        """The hash of totals."""
        found = await self.driver.fields(self.driver.keys.key(self.name))
        return {name: int(value) for name, value in found.items()}

    async def minutes(self) -> list[int]:
        """The past minutes, the newest first."""
        rows = await self.driver.call("LRANGE", self.driver.keys.key(self.name + "_data"), 0, -1)
        return [int(row) for row in rows]


@pytest.fixture(params=[Verb.COMPLETE, Verb.FAIL])
def meter(driver: Driver, request: pytest.FixtureRequest) -> Meter:
    """A meter of each kind, at the beginning of a minute."""
    driver.now -= driver.now % MINUTE
    return Meter(driver, request.param)


async def test_the_running_minute_is_not_listed(meter: Meter) -> None:
    """The first ends set the clock; while their minute runs only the total grows."""
    began = meter.driver.now
    await meter.finish(2)
    meter.driver.now += MINUTE - 1
    await meter.finish(3)
    assert await meter.totals() == {"count": 5, "prevTS": began, "prevCount": 0}
    assert await meter.minutes() == []


async def test_a_minute_later(meter: Meter) -> None:
    """The first end of a new minute files what the minute before brought."""
    await meter.finish(5)
    meter.driver.now += MINUTE
    await meter.finish(2)
    assert await meter.minutes() == [5]
    assert await meter.totals() == {"count": 7, "prevTS": meter.driver.now, "prevCount": 5}
    meter.driver.now += MINUTE
    await meter.finish()
    assert await meter.minutes() == [2, 5]


async def test_minutes_are_of_the_clock(meter: Meter) -> None:
    """Two milliseconds over a full minute are a new minute."""
    meter.driver.now += MINUTE - 1
    await meter.finish(1)
    meter.driver.now += 2
    await meter.finish(1)
    assert await meter.minutes() == [1]


async def test_idle_minutes_are_zeros(meter: Meter) -> None:
    """Idle minutes stand as zeros, newer than what was counted before them."""
    await meter.finish(4)
    meter.driver.now += 3 * MINUTE
    await meter.finish(1)
    assert await meter.minutes() == [0, 0, 4]


async def test_the_list_is_bounded(meter: Meter) -> None:
    """No more minutes are kept than asked for, however long the pause."""
    await meter.finish(4)
    meter.driver.now += 25 * MINUTE
    await meter.finish(1)
    assert await meter.minutes() == [0] * 9 + [4]
    meter.driver.now += MINUTE
    await meter.finish(1)
    assert await meter.minutes() == [1] + [0] * 9


async def test_a_very_long_pause(meter: Meter) -> None:
    """Two weeks kept by the minute do not exceed what Lua's stack holds."""
    meter.points = 20_160
    await meter.finish(1)
    meter.driver.now += 19_000 * MINUTE
    await meter.finish(1)
    minutes = await meter.minutes()
    assert (len(minutes), minutes[-1], sum(minutes)) == (19_000, 1, 1)


async def test_a_clock_that_went_back(meter: Meter) -> None:
    """A clock set back an hour files nothing and breaks nothing."""
    await meter.finish(1)
    meter.driver.now -= 60 * MINUTE
    await meter.finish(1)
    assert await meter.minutes() == []
    assert (await meter.totals())["count"] == 2


async def test_only_when_asked_for(driver: Driver) -> None:
    """Without points nothing is counted; retries and snoozes never are."""
    meter = Meter(driver, Verb.COMPLETE, points=0)
    await meter.finish(1)
    await Meter(driver, Verb.RETRY, points=5).finish(1)
    for name in ("metrics_completed", "metrics_failed"):
        assert await driver.fields(driver.keys.key(name)) == {}
