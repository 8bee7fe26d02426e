"""The line of those set aside for a singleton key, when some leave it: removed, put off, cancelled, called and gone."""

from __future__ import annotations

import pytest

from corral.engine.control import remove_job, set_delay
from corral.engine.control_cancel import cancel_job
from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job
from tests.engine.singletons import die, due_in, ids, line, single, start

HOUR = 3_600_000


async def test_removed_while_set_aside(driver: Driver) -> None:
    """The next of those that are left takes the turn."""
    await driver.add(*map(single, "abcd"))
    (run,) = await start(driver)
    assert await remove_job(driver.server, driver.keys, "b")
    await driver.call("ZREM", driver.keys.key("delayed"), "c")  # as Node removes one
    await driver.call("DEL", driver.keys.job("c"))
    await driver.settle(end(run))
    assert await driver.waiting() == ["d"]


async def test_another_job_under_its_id(driver: Driver) -> None:
    """A job that was removed while it was set aside, and added anew with a delay, is not called before it is due."""
    await driver.add(single("a"), single("b"), single("c"))
    (run,) = await start(driver)
    await remove_job(driver.server, driver.keys, "b")
    await driver.add(new_job("b", delay=HOUR))
    await driver.settle(end(run))
    assert await driver.waiting() == ["c"]
    assert await due_in(driver, "b") == HOUR


async def test_another_time(driver: Driver) -> None:
    """One that an operator puts off leaves the line, joins it again when it is due, and the next one watches the
    holder."""
    await driver.add(single("a"), single("b"), single("c"))
    await start(driver)
    await set_delay(driver.server, driver.keys, "b", delay=2 * HOUR, clock=driver.now)
    assert await due_in(driver, "b") == 2 * HOUR
    assert await line(driver) == ["c"]
    assert 59_000 < await due_in(driver, "c") <= 60_000
    driver.now += 2 * HOUR
    assert await start(driver) == []
    assert await line(driver) == ["c", "b"]


async def test_the_first_in_line_is_cancelled(driver: Driver) -> None:
    """Then the next one replaces a holder that has died, when its lock ends."""
    await driver.add(single("a"), single("b"), single("c"))
    await start(driver)
    await cancel_job(driver.server, driver.keys, "b", "no", clock=driver.now)
    await die(driver, "a")
    assert ids(await start(driver)) == ["c"]


@pytest.mark.parametrize("most", [1, 450])
async def test_those_before_it_have_gone(driver: Driver, most: int) -> None:
    """However many others have removed: the first that is left is called, if not at once then by the stalled check."""
    gone = [f"gone-{number}" for number in range(most)]
    await driver.add(*map(single, ["a", *gone, "z"]))
    (run,) = await start(driver)
    await driver.call("ZREM", driver.keys.key("delayed"), *gone)
    await driver.call("DEL", *map(driver.keys.job, gone))
    await driver.settle(end(run))
    for _ in range(2):
        await driver.check_stalled()
    assert await driver.waiting() == ["z"]


async def test_set_aside_behind_many_that_have_gone(driver: Driver) -> None:
    """Who cannot know whether it is the first looks when the holder's lock ends, as the first does."""
    gone = [f"gone-{number}" for number in range(450)]
    await driver.add(*map(single, ["a", *gone]))
    await start(driver)
    await driver.call("DEL", driver.keys.key("delayed"), *map(driver.keys.job, gone))
    await driver.add(single("z"))
    await start(driver)
    assert await due_in(driver, "z") <= 60_000


@pytest.mark.parametrize("how", ["cancelled", "removed", "deferred"])
async def test_who_is_called_and_does_not_come(driver: Driver, how: str) -> None:
    """The one behind it is called instead: by the next stalled check, or when the call has ended without a run."""
    await driver.add(*map(single, "abc"))
    (run,) = await start(driver)
    await driver.settle(end(run))
    assert await driver.waiting() == ["b"]
    if how == "cancelled":
        await cancel_job(driver.server, driver.keys, "b", "cancelled", clock=driver.now)
    elif how == "removed":
        await remove_job(driver.server, driver.keys, "b")
    else:
        await driver.call("HSET", driver.keys.job("b"), "defa", "a child failed")
        await driver.settle(end((await start(driver, 1))[0], Verb.FAIL))
    if how != "deferred":
        await driver.check_stalled()
    assert await driver.waiting() == ["c"]
    (run,) = await start(driver)
    await driver.settle(end(run))
    assert await driver.call("EXISTS", driver.keys.key("holders")) == 0


async def test_the_stalled_check_leaves_who_is_called(driver: Driver) -> None:
    """While it waits to start it stays the next, and nobody else is called."""
    await driver.add(*map(single, "abc"))
    (run,) = await start(driver)
    await driver.settle(end(run))
    await driver.check_stalled()
    assert (await driver.waiting(), await line(driver)) == (["b"], ["b", "c"])
