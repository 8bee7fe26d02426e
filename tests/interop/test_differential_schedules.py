"""Schedules leave the same behind, whoever makes, changes, runs and removes them.

Every difference is meant, and listed with its reason in `intended_schedules.py`.
"""

from __future__ import annotations

from functools import partial

import pytest

from corral.admin.queue import QueueAdmin
from tests.interop import intended, intended_schedules
from tests.interop.clock import Clock
from tests.interop.controls import CorralOperator, NodeOperator, OperatedPlayer
from tests.interop.intended import Intention
from tests.interop.intended_schedules import PAST_SEVEN, QUARTERS
from tests.interop.operations import Claim, Complete
from tests.interop.play import Engines
from tests.interop.queue_sides import CorralKeeper, NodeKeeper
from tests.interop.schedule_sides import CorralScheduler, NodeScheduler, ScheduledPlayer
from tests.interop.schedule_steps import Step, Upsert, draw_schedules
from tests.interop.side_by_side import Mistake, assert_found, assert_same, assert_shown, assert_wakes, rows
from tests.interop.snapshot import Raw
from tests.interop.timed import OwnTime, PassUntilDue

EVERYWHERE = [*intended.EVERYWHERE, *intended_schedules.EVERYWHERE]
INTENDED = rows(EVERYWHERE)

Pair = tuple[ScheduledPlayer, ScheduledPlayer]


@pytest.fixture
def pair(engines: Engines, clock: Clock, queue_name: str) -> Pair:
    """A player of each engine, with its schedules."""
    theirs, ours = engines.players(queue_name)
    admin = QueueAdmin(engines.client.server, queue_name)
    node, corral = NodeOperator(theirs.operator), CorralOperator(admin.jobs)
    return (
        ScheduledPlayer(
            OperatedPlayer(theirs, node),
            NodeScheduler(theirs.operator),
            NodeKeeper(theirs.operator),
            OwnTime(clock),
        ),
        ScheduledPlayer(
            OperatedPlayer(ours, corral), CorralScheduler(admin), CorralKeeper(admin), OwnTime(clock)
        ),
    )


@pytest.mark.parametrize("seed", [*range(500, 530), 579])
async def test_schedules_leave_the_same(seed: int, pair: Pair) -> None:
    """Made, changed, run, retried, drained and removed, schedules and their iterations are the same."""
    await assert_same(pair, draw_schedules(seed, 60), INTENDED)


@pytest.mark.parametrize("seed", range(540, 545))
async def test_iterations_leave_tokens(seed: int, pair: Pair) -> None:
    """Whoever waits for an iteration is woken."""
    for step in draw_schedules(seed, 60):
        await pair[1].play(step)
        await assert_wakes(pair[1].player)


@pytest.mark.parametrize(
    "intention",
    [*intended_schedules.EVERYWHERE, *intended_schedules.APART],
    ids=lambda intention: intention.name,
)
async def test_each_intended_difference_is_there(intention: Intention, pair: Pair) -> None:
    """A row of the table of intended differences describes what happens, and nothing else happens."""
    for one in pair:
        one.leaves_out = False
    await assert_shown(pair, intention, INTENDED)


KNOWN: list[Step] = [
    PAST_SEVEN,
    Upsert("b", QUARTERS.rule, data={"a": 1}),
    PassUntilDue(),
    Claim(2),
    PassUntilDue(),
    Claim(2),
    Complete(0, None),
]


async def _change_options(raw: Raw, base: str, old: str, new: str) -> None:
    """In the options of the last iteration of `b`."""
    due = await raw.zscore(f"{base}repeat", "b")
    text = await raw.hget(f"{base}repeat:b:{due:.0f}", "opts")
    assert old in text
    await raw.hset(f"{base}repeat:b:{due:.0f}", "opts", text.replace(old, new))


async def _next_one_is_lost(raw: Raw, base: str) -> None:
    [job_id, *_] = await raw.zrange(f"{base}delayed", 0, 0)
    await raw.zrem(f"{base}delayed", job_id)


MISTAKES: dict[str, Mistake] = {
    "the next time differs by a millisecond": lambda raw, base: raw.zincrby(f"{base}repeat", 1, "a"),
    "the next iteration is in no state": _next_one_is_lost,
    "iterations are not counted": lambda raw, base: raw.hincrby(f"{base}repeat:b", "ic", -1),
    "another zone": lambda raw, base: raw.hset(f"{base}repeat:b", "tz", "Europe/Rome"),
    "another grid": lambda raw, base: raw.hset(f"{base}repeat:a", "offset", "1"),
    "data that is not kept": lambda raw, base: raw.hdel(f"{base}repeat:b", "data"),
    "an iteration that does not name its schedule": lambda raw, base: _change_options(
        raw, base, '"repeatJobKey":"b"', '"repeatJobKey":"a"'
    ),
    "an iteration with the time of the one before": lambda raw, base: _change_options(
        raw, base, '"prevMillis":18', '"prevMillis":17'
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_found(mistake: str, pair: Pair) -> None:
    """Each kind of mistake an engine could make with schedules shows as a difference, and no intended one hides it."""
    ours = pair[1].player
    await assert_found(pair, KNOWN, partial(MISTAKES[mistake], ours.raw, ours.key("")), INTENDED)
