"""Flows leave the same behind, whoever adds, runs, changes and removes them.

Every difference is meant, and listed with its reason in `intended_flows.py`.
"""

from __future__ import annotations

from functools import partial

import pytest

from corral.admin.queue import QueueAdmin
from tests.interop import intended_flows
from tests.interop.clock import Clock
from tests.interop.corral_side import CorralSide
from tests.interop.flow_sides import CorralRelative, FlowPlayer, NodeRelative
from tests.interop.flow_steps import AddFlow, Kin, On, Step, Tree, draw_flows
from tests.interop.intended import Intention
from tests.interop.operations import Claim, Complete, Fail
from tests.interop.play import Engines
from tests.interop.queue_sides import CorralKeeper, NodeKeeper
from tests.interop.side_by_side import Mistake, assert_found, assert_same, assert_shown, assert_wakes, rows
from tests.interop.snapshot import Raw
from tests.interop.timed import OwnTime

INTENDED = rows(intended_flows.EVERYWHERE)

Pair = tuple[FlowPlayer, FlowPlayer]


@pytest.fixture
def pair(engines: Engines, clock: Clock, queue_name: str) -> Pair:
    """A player of each engine on two queues, with a relative."""
    first, second = engines.players(queue_name), engines.players(f"{queue_name}-2")
    theirs, ours = [first[0], second[0]], [first[1], second[1]]
    sides = [player.side for player in ours if isinstance(player.side, CorralSide)]
    queues = [player.operator for player in theirs]
    admins = [QueueAdmin(engines.client.server, side.queue) for side in sides]
    return (
        FlowPlayer(theirs, NodeRelative(queues), list(map(NodeKeeper, queues)), OwnTime(clock)),
        FlowPlayer(
            ours, CorralRelative(engines.client, sides), list(map(CorralKeeper, admins)), OwnTime(clock)
        ),
    )


@pytest.mark.parametrize("seed", range(600, 620))
async def test_flows_leave_the_same(seed: int, pair: Pair) -> None:
    """Added, run, failed and retried, families of jobs are the same, with delays and priorities of parents."""
    await assert_same(pair, draw_flows(seed, 80, removing=False), INTENDED)


@pytest.mark.parametrize("seed", [*range(700, 720), 6103])
async def test_what_is_left_of_flows_is_the_same(seed: int, pair: Pair) -> None:
    """Parents and children removed, detached, trimmed, drained and cleaned leave the others as they are."""
    for one in pair:
        one.sees_releases = False
    await assert_same(pair, draw_flows(seed, 90, removing=True), INTENDED)


@pytest.mark.parametrize("seed", range(640, 645))
@pytest.mark.parametrize("removing", [False, True])
async def test_families_leave_tokens(seed: int, removing: bool, pair: Pair) -> None:
    """Whoever waits for a parent or a child is woken, in either queue."""
    for step in draw_flows(seed, 60, removing=removing):
        await pair[1].play(step)
        for player in pair[1].players:
            await assert_wakes(player)


@pytest.mark.parametrize(
    "intention",
    [*intended_flows.EVERYWHERE[-1:], *intended_flows.APART],
    ids=lambda intention: intention.name,
)
async def test_each_intended_difference_is_there(intention: Intention, pair: Pair) -> None:
    """A row of the table of intended differences describes what happens, and nothing else happens."""
    for one in pair:
        one.leaves_out = False
    await assert_shown(pair, intention, INTENDED)


@pytest.mark.parametrize(
    "ends",
    [[], [On(0, Fail(0, "no"))], [On(0, Complete(0, 1))]],
    ids=["running", "failed", "completed"],
)
async def test_what_is_spared_below_unprocessed_children(ends: list[Step], pair: Pair) -> None:
    """Removing the children that have not ended spares those below them that run or have ended."""
    for one in pair:
        one.sees_releases = False
    family = AddFlow(Tree("p", (Tree("a", (Tree("b"), Tree("c"))),)))
    await assert_same(pair, [family, On(0, Claim()), *ends, Kin("remove unprocessed", 0, "p")], INTENDED)


KNOWN: list[Step] = [
    AddFlow(
        Tree("p", (Tree("a", policy="fpof"), Tree("b", policy="idof", queue=1), Tree("c", policy="cpof")))
    ),
    AddFlow(Tree("q", (Tree("d", policy="fpof", queue=1), Tree("e", queue=1)))),
    On(0, Claim(1)),
    On(1, Claim(2)),
    On(0, Complete(0, {"n": 1})),
    On(1, Fail(0, "no")),
    On(1, Fail(0, "no")),
]


async def _another_parent(raw: Raw, base: str) -> None:
    await raw.hset(f"{base}a", "parentKey", f"{base}q")


MISTAKES: dict[str, Mistake] = {
    "a child that its parent still waits for": lambda raw, base: raw.sadd(
        f"{base}p:dependencies", f"{base}a"
    ),
    "a child that its parent forgets": lambda raw, base: raw.srem(f"{base}p:dependencies", f"{base}c"),
    "a result that is not kept": lambda raw, base: raw.hdel(f"{base}p:processed", f"{base}a"),
    "another result": lambda raw, base: raw.hset(f"{base}p:processed", f"{base}a", '{"n":2}'),
    "a failure that is not ignored": lambda raw, base: raw.delete(f"{base}p:failed"),
    "a failure that does not count": lambda raw, base: raw.delete(f"{base}q:unsuccessful"),
    "a parent that is not told to fail": lambda raw, base: raw.hdel(f"{base}q", "defa"),
    "a parent that is not released": lambda raw, base: raw.lrem(f"{base}wait", 0, "q"),
    "a child of another": _another_parent,
    "a parent that waits since another time": lambda raw, base: raw.zincrby(
        f"{base}waiting-children", 1, "p"
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_found(mistake: str, pair: Pair) -> None:
    """Each kind of mistake an engine could make with families shows as a difference, and no intended one hides it."""
    ours = pair[1].players[0]
    await assert_found(pair, KNOWN, partial(MISTAKES[mistake], ours.raw, ours.key("")), INTENDED)
