"""What is done to a whole queue leaves the same behind, whoever does it.

Every difference is meant, and listed with its reason in `intended_queues.py`.
"""

from __future__ import annotations

from functools import partial

import pytest

from corral.admin.queue import QueueAdmin
from tests.interop.clock import Clock
from tests.interop.intended import EVERYWHERE, KEPT, Intention
from tests.interop.intended_queues import APART, LEFT_BEHIND
from tests.interop.operations import MINUTE, Add, Claim, Complete, Fail
from tests.interop.play import Engines
from tests.interop.queue_sides import CorralKeeper, KeptPlayer, NodeKeeper
from tests.interop.queue_steps import Clean, Obliterate, Pause, Step, draw_queue
from tests.interop.side_by_side import Mistake, assert_found, assert_same, assert_shown, rows
from tests.interop.snapshot import Raw
from tests.interop.timed import OwnTime, Pass

INTENDED = rows(EVERYWHERE)

Pair = tuple[KeptPlayer, KeptPlayer]


@pytest.fixture
def pair(engines: Engines, clock: Clock, queue_name: str) -> Pair:
    """A player of each engine, with somebody who keeps the queue."""
    theirs, ours = engines.players(queue_name)
    admin = QueueAdmin(engines.client.server, queue_name)
    return (
        KeptPlayer(theirs, NodeKeeper(theirs.operator), OwnTime(clock)),
        KeptPlayer(ours, CorralKeeper(admin), OwnTime(clock)),
    )


@pytest.mark.parametrize("seed", range(1000, 1030))
async def test_what_is_done_to_a_queue_leaves_the_same(seed: int, pair: Pair) -> None:
    """Paused and resumed, drained, cleaned and trimmed, a queue is the same."""
    await assert_same(pair, draw_queue(seed, 100), INTENDED)


@pytest.mark.parametrize("seed", range(1100, 1110))
async def test_an_obliterated_queue_begins_anew(seed: int, pair: Pair) -> None:
    """Nothing of what was done before has a part in what is done after."""
    steps = [
        *draw_queue(seed, 30),
        Obliterate(),
        Add("n", {}, {**KEPT, "jobId": "g1"}),
        Claim(),
        Complete(0, None),
    ]
    await assert_same(pair, steps, [*INTENDED, *LEFT_BEHIND.rows()])


@pytest.mark.parametrize("intention", [LEFT_BEHIND, *APART], ids=lambda intention: intention.name)
async def test_each_intended_difference_is_there(intention: Intention, pair: Pair) -> None:
    """A row of the table of intended differences describes what happens, and nothing else happens."""
    for one in pair:
        one.leaves_out = False
    await assert_shown(pair, intention, INTENDED)


KNOWN: list[Step] = [
    *(Add("n", {}, {**KEPT, "jobId": f"g{number}"}) for number in range(6)),
    Add("later", {}, {**KEPT, "jobId": "later", "delay": 5 * MINUTE}),
    Add("urgent", {}, {**KEPT, "jobId": "urgent", "priority": 1}),
    Claim(3),
    Complete(0, None),
    Complete(0, None),
    Fail(0, "no"),
    Pass(MINUTE),
    Clean("completed", 0, limit=1),
    Pause(),
]


async def _came_back(raw: Raw, base: str) -> None:
    await raw.zadd(f"{base}completed", {"g0": 1})


MISTAKES: dict[str, Mistake] = {
    "a job too many is cleaned": lambda raw, base: raw.zrem(f"{base}completed", "g1"),
    "a cleaned job leaves its id": _came_back,
    "a cleaned job leaves a key": lambda raw, base: raw.rpush(f"{base}g0:logs", "a row"),
    "a pause that nobody sees": lambda raw, base: raw.hdel(f"{base}meta", "paused"),
    "a pause that parks the line": lambda raw, base: raw.rename(f"{base}wait", f"{base}paused"),
    "a drain of what nobody named": lambda raw, base: raw.delete(f"{base}delayed"),
    "a job without its record": lambda raw, base: raw.delete(f"{base}urgent"),
    "events that are cut too short": lambda raw, base: raw.xtrim(f"{base}events", 5, approximate=False),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_found(mistake: str, pair: Pair) -> None:
    """Each kind of mistake an engine could make with a queue shows as a difference, and no intended one hides it."""
    ours = pair[1].player
    await assert_found(pair, KNOWN, partial(MISTAKES[mistake], ours.raw, ours.key("")), INTENDED)
