"""A running job goes to wait for children that it added to itself (wire format §17.4)."""

from __future__ import annotations

import pytest

from corral.engine.record import Refusal, Verb
from corral.engine.recover import Held
from tests.engine.driver import Driver, end, held, new_job
from tests.engine.flows import add, new_node

WAIT = Verb.WAIT_FOR_CHILDREN


async def with_children(driver: Driver, *children: str, policy: str = "fpof", **options: int) -> Held:
    """A running job `p` that has added children to itself."""
    await driver.add(new_job("p", **options))  # type: ignore[arg-type]
    run = await driver.take_one()
    await add(
        driver, *(new_node(driver, child, driver.keys.job("p"), policy=policy) for child in children), run=run
    )
    return run


async def test_it_waits_and_runs_again(driver: Driver) -> None:
    """The job leaves active, spends no attempt, and is released by its last child."""
    run = await with_children(driver, "a")
    await driver.forget_events()
    assert await driver.settle(end(run, WAIT)) == [0]
    assert await driver.scores("waiting_children") == {"p": driver.now}
    assert await driver.events() == [{"event": "waiting-children", "jobId": "p", "prev": "active"}]
    assert await driver.active() == []
    assert await driver.call("EXISTS", driver.keys.job("p") + ":lock") == 0
    await driver.settle(end(await driver.take_one(), text="1"))
    again = await driver.take_one()
    assert (again.wire_id, again.fence) == ("p", f"2:{driver.now}".encode())
    assert "atm" not in await driver.fields("p")
    assert await driver.settle(end(again)) == [0]


@pytest.mark.parametrize("priority", [0, 2])
async def test_nothing_to_wait_for(driver: Driver, priority: int) -> None:
    """When the children have ended meanwhile the job runs again at once, before others of its line."""
    run = await with_children(driver, "a", priority=priority)
    await driver.settle(end(await driver.take_one()))
    await driver.add(new_job("x", priority=priority))
    assert await driver.settle(end(run, WAIT)) == [0]
    assert (await driver.take_one()).wire_id == "p"
    assert await driver.scores("waiting_children") == {}


async def test_parent_and_child_settled_in_one_call(driver: Driver) -> None:
    """In whichever order they stand, the parent is released once."""
    for order in (1, -1):
        run = await with_children(driver, f"a{order}")
        child = await driver.take_one()
        claim = driver.a_claim(2)
        reply = await driver.commit(*[end(run, WAIT), end(child)][::order], claim=claim)
        assert [job.wire_id for job in reply.jobs] == [b"p"]
        await driver.settle(end(held(claim.token, reply.jobs)[0], keep=0))
        assert await driver.scores("waiting_children") == {}


async def test_a_failed_child(driver: Driver) -> None:
    """A job whose child must fail it does not wait (-9): nothing is changed, and its worker fails it."""
    run = await with_children(driver, "a", "b")
    (first,) = await driver.take(1)
    await driver.settle(end(first, Verb.FAIL, "why"))
    before = await driver.bytes_of_all()
    assert await driver.settle(end(run, WAIT)) == [Refusal.CHILDREN_FAILED]
    assert await driver.bytes_of_all() == before


async def test_a_tolerated_child(driver: Driver) -> None:
    """One that counts as ended leaves nothing to wait for."""
    run = await with_children(driver, "a", policy="idof")
    await driver.settle(end(await driver.take_one(), Verb.FAIL, "why"))
    assert await driver.settle(end(run, WAIT)) == [0]
    assert await driver.waiting() == ["p"]


async def test_no_children_at_all(driver: Driver) -> None:
    """A job that never had any would run for ever (-21); one whose children are forgotten has had some."""
    await driver.add("p")
    run = await driver.take_one()
    before = await driver.bytes_of_all()
    assert await driver.settle(end(run, WAIT)) == [Refusal.NO_CHILDREN]
    assert await driver.bytes_of_all() == before
    await add(driver, new_node(driver, "a", driver.keys.job("p"), policy="rdof"), run=run)
    await driver.settle(end(await driver.take_one(), Verb.FAIL, "why"))
    assert await driver.settle(end(run, WAIT)) == [0]


async def test_a_superseded_run(driver: Driver) -> None:
    """Only the run that holds the job may send it to wait."""
    run = await with_children(driver, "a")
    assert await driver.settle(end(run._replace(fence="9:"), WAIT)) == [Refusal.SUPERSEDED]
    assert await driver.settle(end(run._replace(token="x"), WAIT)) == [Refusal.HELD_BY_ANOTHER]
    assert await driver.active() == ["p"]


async def test_sent_again(driver: Driver) -> None:
    """The same call sent again changes nothing."""
    run = await with_children(driver, "a")
    claim = driver.a_claim(0, "w", 1)
    await driver.commit(end(run, WAIT), claim=claim)
    before = await driver.bytes_of_all()
    assert (await driver.commit(end(run, WAIT), claim=claim)).codes == [0]
    assert await driver.bytes_of_all() == before
