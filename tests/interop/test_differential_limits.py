"""Limits leave the same behind, whoever sets, meets and removes them.

Every difference is meant, and listed with its reason in `intended_limits.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from corral.admin.queue import QueueAdmin
from corral.contracts.rate_limit import RateLimit
from tests.interop.corral_side import CorralSide
from tests.interop.intended import EVERYWHERE, PLAIN, Intention
from tests.interop.intended_limits import WITHOUT_LIMITER
from tests.interop.limit_sides import CorralLimiter, LimitedPlayer, NodeLimiter
from tests.interop.limit_steps import SECOND, HoldOff, SetConcurrency, SetRate, Step, draw_limits
from tests.interop.operations import Claim
from tests.interop.play import Engines
from tests.interop.side_by_side import Mistake, assert_found, assert_same, assert_shown, rows
from tests.interop.snapshot import Raw

INTENDED = rows(EVERYWHERE)

Pair = tuple[LimitedPlayer, LimitedPlayer]
Pairs = Callable[[int | None], Awaitable[Pair]]


@pytest.fixture
def pairs(engines: Engines, queue_name: str) -> Pairs:
    """Make a player of each engine, with limits; the workers start so many jobs a minute."""

    async def make(most: int | None) -> Pair:
        theirs, ours = engines.players(queue_name)
        assert isinstance(ours.side, CorralSide)
        if most is not None:
            ours.side.limiter = RateLimit(most, per=60)
            limiter = {"max": most, "duration": 60 * SECOND}
            await theirs.operator.call("openStepper", opts={"limiter": limiter})
        admin = QueueAdmin(engines.client.server, queue_name)
        return LimitedPlayer(theirs, NodeLimiter(theirs.operator)), LimitedPlayer(
            ours, CorralLimiter(admin, ours.side)
        )

    return make


@pytest.mark.parametrize("seed", range(800, 815))
async def test_limits_of_a_queue_leave_the_same(seed: int, pairs: Pairs) -> None:
    """Set, met, read and removed, limits of the queue leave the same jobs in the same states."""
    await assert_same(await pairs(None), draw_limits(seed, 60, holding=False), INTENDED)


@pytest.mark.parametrize("seed", range(820, 845))
async def test_limits_of_workers_leave_the_same(seed: int, pairs: Pairs) -> None:
    """So do those of workers, and times in which nothing starts, together with those of the queue."""
    await assert_same(await pairs(3), draw_limits(seed, 60, holding=True), INTENDED)


@pytest.mark.parametrize("intention", WITHOUT_LIMITER, ids=lambda intention: intention.name)
async def test_each_intended_difference_is_there(intention: Intention, pairs: Pairs) -> None:
    """A row of the table of intended differences describes what happens, and nothing else happens."""
    pair = await pairs(None)
    for one in pair:
        one.leaves_out = False
    await assert_shown(pair, intention, INTENDED)


KNOWN: list[Step] = [
    SetRate(2),
    SetConcurrency(5),
    PLAIN,
    PLAIN,
    PLAIN,
    Claim(3),
    HoldOff(0, 90 * SECOND),
    Claim(),
]


async def _one_too_many(raw: Raw, base: str) -> None:
    [job_id] = await raw.lrange(f"{base}wait", 0, 0)
    await raw.lmove(f"{base}wait", f"{base}active", "LEFT", "LEFT")
    await raw.hset(f"{base}{job_id}", "ats", "1")


MISTAKES: dict[str, Mistake] = {
    "another rate": lambda raw, base: raw.hset(f"{base}meta", "max", "3"),
    "another window": lambda raw, base: raw.hset(f"{base}meta", "duration", "60001"),
    "another concurrency": lambda raw, base: raw.hdel(f"{base}meta", "concurrency"),
    "a start too many": _one_too_many,
    "a window without an end": lambda raw, base: raw.persist(f"{base}limiter"),
    "a time that is too short": lambda raw, base: raw.pexpire(f"{base}limiter", 60 * SECOND),
    "a start that is not counted": lambda raw, base: raw.decr(f"{base}limiter"),
    "a job that was not put back": lambda raw, base: raw.lpop(f"{base}wait"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_found(mistake: str, pairs: Pairs) -> None:
    """Each kind of mistake an engine could make with limits shows as a difference, and no intended one hides it."""
    pair = await pairs(None)
    ours = pair[1].player
    await assert_found(pair, KNOWN, partial(MISTAKES[mistake], ours.raw, ours.key("")), INTENDED)
