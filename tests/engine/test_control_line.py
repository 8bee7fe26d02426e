"""Taking a job out of a long line: every call looks at a bounded number of places (wire format §31: LREM is O(n))."""

from __future__ import annotations

import pytest

from corral.engine.control import remove_job, set_priority
from corral.engine.link import Link, Word
from tests.engine.driver import START, Driver
from tests.engine.lines import LENGTH, fill


async def remove(driver: Driver, number: int) -> list[str]:
    """Remove a job; the line afterwards."""
    assert await remove_job(driver.server, driver.keys, f"j{number}", clock=driver.now) == 1
    return await driver.waiting()


async def test_the_gap(driver: Driver) -> None:
    """Near either end the gap closes; deep in a long line the newest job moves into it. All others keep their order."""
    await fill(driver)
    line = [f"j{number}" for number in range(LENGTH)]
    for number in (0, 1, 40_000, LENGTH - 40_000, LENGTH - 1):
        line.remove(f"j{number}")
        assert await remove(driver, number) == line
    for number in (52_000, 55_000):
        line[line.index(f"j{number}")] = line.pop()
        assert await remove(driver, number) == line


async def test_where_time_does_not_tell(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that does not stand where its time says (it was delayed, or retried) is found page by page, in calls of
    their own, from the newest on."""
    await fill(driver)
    await driver.call("HSET", driver.keys.job("j54000"), "timestamp", 1)
    called: list[object] = []
    call = Link.call

    async def counted(link: Link, *words: Word, timeout: float | None = None, queue: str = "") -> object:
        called.append(words[0])
        return await call(link, *words, timeout=timeout, queue=queue)

    monkeypatch.setattr(Link, "call", counted)
    left = await remove(driver, 54_000)
    assert "j54000" not in left
    assert len(left) == LENGTH - 1
    assert 10 <= called.count("EVALSHA") <= 15


async def test_a_job_in_no_line(driver: Driver) -> None:
    """A hash that stands in no list at all is looked for everywhere, and removed."""
    await fill(driver)
    await driver.call("HSET", driver.keys.job("lost"), "name", "n", "timestamp", START)
    assert await remove_job(driver.server, driver.keys, "lost", clock=driver.now) == 1
    assert await driver.fields("lost") == {}
    assert (await driver.events("removed"))[0]["prev"] == "unknown"


async def test_parked_in_a_long_line(driver: Driver) -> None:
    """The ids that BullMQ 5 has parked are a second line, which is looked through as well."""
    await fill(driver)
    await driver.call("RENAME", driver.keys.key("wait"), driver.keys.key("paused"))
    await fill(driver, "k", 5000)
    await driver.call("HSET", driver.keys.job("j54000"), "timestamp", 1)
    assert await remove_job(driver.server, driver.keys, "j54000", clock=driver.now) == 1
    assert await driver.call("LLEN", driver.keys.key("paused")) == LENGTH - 1
    assert (await driver.events("removed"))[0]["prev"] == "paused"


async def test_a_priority_from_deep_in_the_line(driver: Driver) -> None:
    """A change of priority takes the job out of the line by the same search."""
    await fill(driver)
    await driver.call("HSET", driver.keys.job("j56000"), "timestamp", 1)
    for number in (54_000, 56_000):
        assert await set_priority(driver.server, driver.keys, f"j{number}", 3)
    assert [*await driver.scores("prioritized")] == ["j54000", "j56000"]
    assert await driver.call("LLEN", driver.keys.key("wait")) == LENGTH - 2
