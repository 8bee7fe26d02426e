"""Why a job does not run yet."""

from __future__ import annotations

from datetime import UTC, datetime

from corral.contracts.states import JobState
from corral.contracts.waiting import PendingChild, Waiting
from corral.engine.explain import why_waiting
from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job
from tests.engine.flows import add, family, new_node
from tests.engine.singletons import single, start


async def why(driver: Driver, wire_id: str) -> Waiting:
    """The reason for one job."""
    return await why_waiting(driver.server, driver.keys, wire_id)


async def test_children(driver: Driver) -> None:
    """A parent names what it waits for; a child that will not end by itself comes first."""
    await family(driver, children="abc")
    reason = await why(driver, "p")
    assert (reason.kind, reason.state, reason.children_left) == ("children", JobState.WAITING_CHILDREN, 3)
    assert {child.job_id for child in reason.children} == {"a", "b", "c"}
    for _ in "ab":
        await driver.settle(end(await driver.take_one(), Verb.FAIL if _ == "b" else Verb.COMPLETE, "0"))
    reason = await why(driver, "p")
    assert reason.children == (
        PendingChild("b", driver.keys.queue, JobState.FAILED),
        PendingChild("c", driver.keys.queue, JobState.WAITING),
    )
    assert str(reason) == (
        f"it waits for its children (and one more): job b in queue {driver.keys.queue!r} has failed, and nobody has "
        "retried or removed it"
    )


async def test_a_child_that_is_gone(driver: Driver) -> None:
    """Also one whose hash somebody has deleted, in another queue, under an id with colons."""
    other = driver.keys.queue + "-x"
    parent = new_node(driver, "p", has_children=True)
    await add(driver, parent, new_node(driver, "a:b:c", parent, queue=other))
    await driver.call("DEL", driver.server.keys(other).job("a:b:c"))
    assert (await why(driver, "p")).children == (PendingChild("a:b:c", other, JobState.UNKNOWN),)


async def test_its_time(driver: Driver) -> None:
    """A delayed job says when it is due."""
    await driver.add(new_job("a", due=2_000_000_000_500))
    reason = await why(driver, "a")
    assert (reason.kind, reason.until) == ("due", datetime(2033, 5, 18, 3, 33, 20, 500_000, UTC))
    assert str(reason) == "it is delayed until 2033-05-18T03:33:20.500+00:00"


async def test_its_turn(driver: Driver) -> None:
    """A job that was set aside says who holds its key, and how many come before it."""
    await driver.add(single("a"), single("b"), single("c"))
    await start(driver)
    reason = await why(driver, "b")
    assert (reason.kind, reason.holder, reason.singleton, reason.until) == ("turn", "a", "k", None)
    assert str(reason) == "it waits for its turn: job a holds 'k'"
    assert str(await why(driver, "c")) == "it waits for its turn, behind 1 other: job a holds 'k'"


async def test_the_line(driver: Driver) -> None:
    """How many run before it; all of those without a priority do, before one that has one."""
    await driver.add("a", "b", new_job("c", priority=2), new_job("d", priority=1))
    reasons = [await why(driver, job) for job in "abdc"]
    assert [(reason.kind, reason.ahead) for reason in reasons] == [("line", n) for n in range(4)]
    assert [str(reason) for reason in reasons[:3]] == [
        "it runs next, as soon as a worker has room",
        "one job runs before it",
        "2 jobs run before it",
    ]


async def test_a_long_line(driver: Driver) -> None:
    """Beyond a thousand nobody counts: that would cost the server as much as the line is long."""
    await driver.call("RPUSH", driver.keys.key("wait"), *(f"x{n}" for n in range(1001)))
    await driver.add("a")
    reason = await why(driver, "a")
    assert (reason.ahead, str(reason)) == (None, "more than 1,000 jobs run before it")
    assert (await why(driver, "x1000")).kind == "unknown"


async def test_the_queue(driver: Driver) -> None:
    """It may be paused, at its rate limit, or run as many jobs as it may."""
    meta = driver.keys.key("meta")
    await driver.add("a", "b")
    await driver.take_one()
    await driver.call("HSET", meta, "concurrency", 1)
    assert str(await why(driver, "b")) == "its queue runs 1 jobs, and may run no more at a time"
    await driver.call("HSET", meta, "max", 5)
    await driver.call("SET", driver.keys.key("limiter"), 5, "PX", 60_000)
    reason = await why(driver, "b")
    assert reason.kind == "rate-limit"
    assert reason.until is not None
    await driver.call("HSET", meta, "paused", 1)
    assert str(await why(driver, "b")) == "its queue is paused"


async def test_jobs_that_wait_for_nothing(driver: Driver) -> None:
    """Those that run, have ended, or are not there."""
    assert str(await why(driver, "a")) == "there is no such job"
    await driver.add("a")
    run = await driver.take_one()
    assert (await why(driver, "a")).kind == "running"
    await driver.settle(end(run))
    assert str(await why(driver, "a")) == "it waits for nothing: it is completed"
