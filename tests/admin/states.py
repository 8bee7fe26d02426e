"""A queue with a job in every state, for the tests of what an operator does to jobs."""

from __future__ import annotations

import time

from corral.contracts.states import JobState
from corral.engine.record import Verb
from tests.engine.driver import Driver, end, new_job

PUT = (
    JobState.COMPLETED,
    JobState.FAILED,
    JobState.ACTIVE,
    JobState.WAITING,
    JobState.PRIORITIZED,
    JobState.DELAYED,
    JobState.WAITING_CHILDREN,
)
"""All states, in an order in which one job after the other can be brought into them."""


async def put(driver: Driver, state: JobState, wire_id: str = "j") -> None:
    """Bring a job into a state; `UNKNOWN` brings none into being."""
    driver.now = int(time.time() * 1000) - 60_000
    if state is JobState.UNKNOWN:
        return
    if state is JobState.WAITING_CHILDREN:
        await driver.call("HSET", driver.keys.job(wire_id), "name", "n", "data", "{}", "opts", "{}")
        await driver.call("ZADD", driver.keys.key("waiting_children"), driver.now, wire_id)
        await add_child(driver, wire_id, "child")
        return
    delay = 600_000 if state is JobState.DELAYED else 0
    await driver.add(new_job(wire_id, delay=delay, priority=1 if state is JobState.PRIORITIZED else 0))
    if state in (JobState.ACTIVE, JobState.COMPLETED, JobState.FAILED):
        run = await driver.take_one()
        if state is not JobState.ACTIVE:
            verb = Verb.COMPLETE if state is JobState.COMPLETED else Verb.FAIL
            await driver.settle(end(run, verb, '"r"'))


async def add_child(driver: Driver, parent: str, child: str) -> None:
    """Add a job below another, which need not exist."""
    parent_key = driver.keys.job(parent)
    await driver.add(child)
    key = {"id": parent, "queueKey": driver.keys.base[:-1]}
    await driver.call(
        "HSET", driver.keys.job(child), "parentKey", parent_key, "parent", str(key).replace("'", '"')
    )
    await driver.call("SADD", parent_key + ":dependencies", driver.keys.job(child))
