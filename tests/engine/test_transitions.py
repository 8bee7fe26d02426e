"""Every row of the table of transitions, made on a real server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import pytest

from corral.contracts.states import TRANSITIONS, JobState, Transition
from corral.engine import control_clearing as clearing
from corral.engine.browse import job_state
from corral.engine.control import promote_jobs, remove_job, replay_job, retry_jobs, set_priority
from corral.engine.control_all import Place, Selection, promote_page, remove_failed, retry_matching
from corral.engine.control_cancel import cancel_job
from corral.engine.control_tree import TreeRemoval
from corral.engine.record import Verb
from corral.engine.recover import Held
from corral.engine.recur import NewSchedule, remove_schedule, upsert_schedule
from corral.engine.sender import Sender
from tests.engine.driver import START, Driver, end, new_job
from tests.engine.flows import add, new_node

ENDS = {
    JobState.COMPLETED: Verb.COMPLETE,
    JobState.FAILED: Verb.FAIL,
    JobState.DELAYED: Verb.DELAY,
    JobState.WAITING: Verb.RETRY,
    JobState.PRIORITIZED: Verb.RETRY,
    JobState.WAITING_CHILDREN: Verb.WAIT_FOR_CHILDREN,
}


def job_of(row: Transition) -> str:
    """The job that a row is about: `j`, or the pending iteration of the schedule `s`."""
    if row.verb != "recur":
        return "j"
    return f"repeat:s:{START + (10 if JobState.DELAYED in (row.source, row.target) else 0)}"


async def make_schedule(driver: Driver, state: JobState | None) -> None:
    """A schedule `s` whose pending iteration is in a state."""
    later = START + 10 if state is JobState.DELAYED else None
    opts = '{"priority":1}' if state is JobState.PRIORITIZED else "{}"
    schedule = NewSchedule("s", "n", opts=opts, every_ms=60_000, start_ms=later)
    await upsert_schedule(driver.server, driver.keys, schedule, clock=driver.now)


async def put(driver: Driver, row: Transition) -> Held | None:
    """A job in the row's source, on its way to the target."""
    state, target = row.source, row.target
    if row.verb == "recur":
        if state is not None:
            await make_schedule(driver, state)
        return None
    urgent = 1 if JobState.PRIORITIZED in (state, target) and state is not JobState.WAITING else 0
    if state is JobState.WAITING_CHILDREN:
        await put_parent(driver, target)
    elif state is not None:
        opts = await hold_key(driver, row)
        await driver.add(
            new_job("j", opts=opts, delay=10 if state is JobState.DELAYED else 0, priority=urgent)
        )
    if state is JobState.ACTIVE:
        return await driver.take_one()
    if state is JobState.COMPLETED or state is JobState.FAILED:
        await driver.settle(end(await driver.take_one(), ENDS[state]))
    return None


async def hold_key(driver: Driver, row: Transition) -> str:
    """For a claim that starts nothing: another job holds the singleton key of `j`. Its options."""
    if row.verb != "claim" or row.target not in (JobState.DELAYED, JobState.FAILED):
        return "{}"
    opts = {"singleton": {"key": "k", "else": "skip" if row.target is JobState.FAILED else "wait"}}
    await driver.add(new_job("holder", opts=json.dumps(opts)))
    await driver.take_one()
    return json.dumps(opts)


async def put_parent(driver: Driver, target: JobState | None) -> None:
    """A parent `j` whose only child `c` runs next."""
    key = driver.keys.job("j")
    options = {JobState.PRIORITIZED: ("priority", 1), JobState.DELAYED: ("delay", 10)}
    await driver.call("HSET", key, "name", "j", "data", "{}", *options.get(target or JobState.WAITING, ()))
    await driver.call("ZADD", driver.keys.key("waiting_children"), 1, "j")
    await driver.call("SADD", key + ":dependencies", driver.keys.job("c"))
    await driver.add("c")
    await driver.call("HSET", driver.keys.job("c"), "parentKey", key)


async def enqueue(driver: Driver, row: Transition, _run: Held | None) -> None:
    """A job comes into being."""
    delay = 10 if row.target is JobState.DELAYED else 0
    urgent = 1 if row.target is JobState.PRIORITIZED else 0
    if row.script == "enqueue/add_jobs":
        await driver.add(new_job("j", delay=delay, priority=urgent))
    else:
        parent = row.target is JobState.WAITING_CHILDREN
        job = new_node(driver, "j", has_children=parent, delay=delay, priority=urgent)
        await add(driver, job, *([new_node(driver, "c", job)] if parent else []))


async def claim(driver: Driver, row: Transition, _run: Held | None) -> None:
    """Ready jobs start; what is due becomes ready, and starts unless the queue is paused."""
    if row.source is JobState.DELAYED:
        driver.now += 10
        await driver.call("HSET", driver.keys.key("meta"), "paused", 1)
    await driver.take(1)


async def settle(driver: Driver, row: Transition, run: Held | None) -> None:
    """A run ends, or the last child of a parent."""
    if run is None:
        await driver.settle(end(await driver.take_one()))
    else:
        assert row.target is not None
        if row.target is JobState.WAITING_CHILDREN:
            await add(driver, new_node(driver, "c", driver.keys.job("j")), run=run)
        await driver.settle(end(run, ENDS[row.target], amount=5))


async def recover(driver: Driver, _row: Transition, run: Held | None) -> None:
    """A worker is gone."""
    assert run is not None
    await driver.lose_lock("j")
    await driver.check_stalled()
    await driver.check_stalled()


PLACES = {
    JobState.WAITING: "wait",
    JobState.PRIORITIZED: "prioritized",
    JobState.DELAYED: "delayed",
    JobState.ACTIVE: "active",
    JobState.WAITING_CHILDREN: "waiting_children",
    JobState.COMPLETED: "completed",
    JobState.FAILED: "failed",
}


async def control(driver: Driver, row: Transition, _run: Held | None) -> None:
    """An operator removes the job, or all of its place."""
    server, keys, now = driver.server, driver.keys, driver.now
    assert row.source is not None
    place = PLACES[row.source]
    if row.source is JobState.ACTIVE:
        await driver.lose_lock("j")
    match row.script:
        case "control/remove_job":
            await remove_job(server, keys, "j", clock=now)
        case "control/cancel_job":
            await cancel_job(server, keys, "j", "cancelled", clock=now)
        case "control/drain_jobs":
            await clearing.drain_jobs(server, keys, place, "0", "s", 1, clock=now)
        case "control/clean_finished":
            await clearing.clean_finished(server, keys, place, 0, 10, "s", 1, clock=now)
        case "control/remove_failed":
            await remove_failed(server, keys, ["j"], clock=now)
        case "control/clean_unstarted":
            await clearing.clean_unstarted(server, keys, place, 0, 10, "0", "s", 1, clock=now)
        case "control/clean_listed":
            await clearing.clean_listed(server, keys, place, 0, 10, 0, "s", 1, clock=now)
        case "control/obliterate_jobs":
            await clearing.obliterate_jobs(server, keys, place, clock=now)
        case _:
            await control_job(driver, row)


async def control_job(driver: Driver, row: Transition) -> None:
    """An operator acts on the job, or on its parent."""
    server, keys = driver.server, driver.keys
    match row.script, row.source:
        case "control/remove_children", _:
            await driver.call("HSET", keys.job("j"), "parentKey", keys.job("gone"))
            await driver.call("SADD", keys.job("gone") + ":dependencies", keys.job("j"))
            await driver.call("DEL", keys.job("j") + ":dependencies")
            await TreeRemoval(server, keys, Sender(server), lambda _: None).remove(keys, "gone")
        case "control/retry_jobs", JobState() as state:
            await retry_jobs(server, keys, state, ["j"])
        case "control/replay_job", _:
            assert await replay_job(server, keys, "j", b"{}") == 1
        case "control/retry_matching", JobState() as state:
            await retry_matching(
                server, keys, Selection(state, driver.now), Place(), most=1, clock=driver.now + 1
            )
        case "control/promote_jobs", _:
            await promote_jobs(server, keys, ["j"])
        case "control/promote_page", _:
            await promote_page(server, keys, Place(), "+inf")
        case "control/set_priority", _:
            await set_priority(server, keys, "j", 1 if row.target is JobState.PRIORITIZED else 0)
        case _:
            raise AssertionError(row)


async def recur(driver: Driver, row: Transition, _run: Held | None) -> None:
    """A schedule is made or removed, and its pending iteration with it."""
    if row.target is None:
        await remove_schedule(driver.server, driver.keys, "s")
    else:
        await make_schedule(driver, row.target)


VERBS: dict[str, Callable[[Driver, Transition, Held | None], Awaitable[None]]] = {
    "enqueue": enqueue,
    "claim": claim,
    "settle": settle,
    "recover": recover,
    "recur": recur,
    "control": control,
}


@pytest.mark.parametrize(
    "row", TRANSITIONS, ids=[f"{row.script}: {row.source} to {row.target}" for row in TRANSITIONS]
)
async def test_a_row_of_the_table(driver: Driver, row: Transition) -> None:
    """The verb takes a job from the row's source to its target."""
    run = await put(driver, row)
    before = await job_state(driver.server, driver.keys, job_of(row))
    assert before is (row.source or JobState.UNKNOWN)
    await VERBS[row.verb](driver, row, run)
    after = await job_state(driver.server, driver.keys, job_of(row))
    assert after is (row.target or JobState.UNKNOWN)
