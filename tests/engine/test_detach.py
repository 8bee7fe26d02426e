"""A child is taken away from its parent (wire format §20: removeChildDependency)."""

from __future__ import annotations

from corral.engine.control import detach_child
from corral.engine.record import Refusal
from corral.engine.sender import Sent
from tests.engine.driver import Driver, end
from tests.engine.flows import dependencies, family


async def detach(driver: Driver, wire_id: str) -> int:
    """Detach with the driver's clock."""
    return await detach_child(driver.server, driver.keys, wire_id, clock=driver.now)


async def test_the_parent_waits_for_the_others(driver: Driver) -> None:
    """The child goes on as a job of its own; the last one that goes releases the parent."""
    await family(driver)
    assert await detach(driver, "a") == 0
    assert await dependencies(driver, "p") == {"b"}
    assert not {"parent", "parentKey"} & (await driver.fields("a")).keys()
    assert await detach(driver, "b") == 0
    assert await driver.waiting() == ["p", "a", "b"]
    await driver.settle(*(end(run) for run in await driver.take(3)))
    assert await driver.fields(driver.keys.job("p") + ":processed") == {}


async def test_what_cannot_be_detached(driver: Driver) -> None:
    """No job, no parent, or one that does not wait for it: nothing is changed."""
    assert await detach(driver, "a") == Refusal.NO_JOB
    await family(driver)
    await driver.settle(end(await driver.take_one()))
    before = await driver.bytes_of_all()
    assert await detach(driver, "a") == 1
    assert await detach(driver, "p") == Refusal.NO_PARENT
    assert await driver.bytes_of_all() == before
    await driver.call("DEL", driver.keys.job("p"))
    assert await detach(driver, "b") == Refusal.NO_PARENT


async def test_sent_again(driver: Driver) -> None:
    """The same numbered call gives the same answer, and changes nothing more."""
    await family(driver)
    for _ in range(2):
        code = await detach_child(driver.server, driver.keys, "a", sent=Sent("s", 1), clock=driver.now)
        assert code == 0
    assert await dependencies(driver, "p") == {"b"}
