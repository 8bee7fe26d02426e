"""Singleton jobs as a test asks for them: what the tests of singletons share."""

from __future__ import annotations

import json

from corral.engine.record import NewJob
from corral.engine.recover import Held
from tests.engine.driver import Driver, held, new_job


def single(wire_id: str, key: str = "k", *, otherwise: str = "wait", priority: int = 0) -> NewJob:
    """A job with the rule in its options."""
    opts = {"attempts": 3, "singleton": {"key": key, "else": otherwise}}
    return new_job(wire_id, opts=json.dumps(opts), priority=priority)


async def start(
    driver: Driver, wanted: int = 10, *, lock_ms: int = 60_000, max_stalled: int = 1
) -> list[Held]:
    """Claim with locks that last so long."""
    claim = driver.a_claim(wanted)._replace(lock_ms=lock_ms, max_stalled=max_stalled)
    return held(claim.token, (await driver.claim(claim)).jobs)


def ids(runs: list[Held]) -> list[str]:
    """Which jobs run."""
    return [str(run.wire_id) for run in runs]


async def line(driver: Driver, key: str = "k") -> list[str]:
    """Who is set aside for a key, in the order of arrival."""
    found: list[str] = await driver.call("ZRANGE", driver.keys.key("aside") + key, 0, -1)
    return found


async def due_in(driver: Driver, wire_id: str) -> int:
    """In how many ms a delayed job is due."""
    return (await driver.scores("delayed"))[wire_id] // 4096 - driver.now


async def die(driver: Driver, wire_id: str) -> None:
    """The lock of a job runs out, and whoever waits for that is due."""
    await driver.lose_lock(wire_id)
    driver.now += 60_001
