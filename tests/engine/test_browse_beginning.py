"""Browse: the jobs whose ids have a common beginning, found at a cost that does not grow with the queue."""

from __future__ import annotations

from corral.engine.browse_beginning import find_by_beginning
from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job


async def test_they_are_found_in_every_state(driver: Driver) -> None:
    """Those that have not ended first, then the latest to end; ids that go on with a colon are those of others."""
    await driver.add(
        "repeat:a:1", "repeat:a:2", "repeat:a:b:1", "repeat:ab:1", "t:a:1", "other", "repeat:a:3"
    )
    first, second, *others = await driver.take(7)
    await driver.settle(end(first))
    await driver.settle(end(second, Verb.FAIL, "why"), *map(end, others[:-1]))
    await driver.add(new_job("repeat:a:4", delay=50), new_job("repeat:a:5", priority=1), "repeat:a:6")
    found = await find_by_beginning(driver.server, driver.keys, ["repeat:a:", "t:a:"], limit=100)
    assert {(job.id, str(job.state)) for job in found.jobs[:4]} == {
        ("repeat:a:3", "active"), ("repeat:a:4", "delayed"), ("repeat:a:5", "prioritized"), ("repeat:a:6", "waiting"),
    }  # fmt: skip
    assert {job.id for job in found.jobs[4:]} == {"repeat:a:1", "repeat:a:2", "t:a:1"}
    ends = [job.finished_on for job in found.jobs[4:] if job.finished_on]
    assert ends == sorted(ends, reverse=True)
    assert found.since is None


async def test_a_beginning_is_no_pattern(driver: Driver) -> None:
    """Letters that mean something in patterns of Lua and Redis mean themselves."""
    await driver.add("repeat:a.c:1", "repeat:abc:1", "repeat:%a*[x]:1")
    for beginning, wanted in (("repeat:a.c:", "repeat:a.c:1"), ("repeat:%a*[x]:", "repeat:%a*[x]:1")):
        found = await find_by_beginning(driver.server, driver.keys, [beginning], limit=10)
        assert [job.id for job in found.jobs] == [wanted]


async def test_it_looks_at_so_many_and_says_so(driver: Driver) -> None:
    """Of each state a fixed number of jobs is looked at: `since` is the time behind which nothing is missing."""
    await driver.add(*(f"a:{number}" for number in range(6)))
    for job in await driver.take(6):
        await driver.settle(end(job))
    whole = await find_by_beginning(driver.server, driver.keys, ["a:"], limit=10, depth=6)
    assert (len(whole.jobs), whole.since) == (6, None)
    part = await find_by_beginning(driver.server, driver.keys, ["a:"], limit=10, depth=4)
    assert len(part.jobs) == 4
    assert part.since is not None
    assert {job.id for job in part.jobs} <= {job.id for job in whole.jobs}


async def test_no_more_than_asked_for(driver: Driver) -> None:
    """`limit` jobs are read, the first of that order; of an empty queue none."""
    assert (await find_by_beginning(driver.server, driver.keys, ["a:"], limit=3)).jobs == []
    await driver.add(*(f"a:{number}" for number in range(300)))
    found = await find_by_beginning(driver.server, driver.keys, ["a:"], limit=280)
    assert len(found.jobs) == 280
