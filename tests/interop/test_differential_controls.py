"""What an operator does leaves the same behind, whether BullMQ does it or Corral, also among running workers.

Every difference is meant, and listed with its reason here or in `intended.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack

import pytest

from corral.admin.jobs import JobsAdmin
from corral.client.client import Client
from tests.interop.bullmq import Node, NodeQueue
from tests.interop.comparison import Difference, IntendedDifference, diff, unexplained
from tests.interop.controls import (
    ControlAll,
    CorralOperator,
    NodeOperator,
    OperatedPlayer,
    Step,
    draw_controls,
)
from tests.interop.corral_side import CorralSide
from tests.interop.intended import EVERYWHERE, KEPT, LATER, PLAIN, Intention
from tests.interop.operations import GIVEN_IDS, Add, Claim, Fail, LoseLock, StalledCheck
from tests.interop.play import player
from tests.interop.sides import NodeSide
from tests.interop.snapshot import Raw, Snapshot, snapshot

URGENT = Add("urgent", {}, {**KEPT, "priority": 2})
TOGETHER = [
    Intention(
        "priority of all",
        "BullMQ's verbs for all jobs of a state ignore their priorities; Corral honours them",
        ("wait*", "prioritized*", "pc*"),
        [],
    ),
    Intention(
        "delay of all",
        "BullMQ leaves the delay of jobs that it promotes together as it was; Corral sets it to 0, as promotion does",
        ("*.content.delay",),
        [],
    ),
]
SHOWN: list[list[Step]] = [
    [URGENT, PLAIN, Claim(2), Fail(0, "a"), Fail(0, "b"), ControlAll("retry", "failed")],
    [LATER, ControlAll("promote", "delayed")],
]

Pairs = Callable[[], Coroutine[None, None, tuple[OperatedPlayer, OperatedPlayer]]]


@pytest.fixture
async def pairs(newest: Node, raw: Raw, redis_url: str, prefix: str, queue_name: str) -> AsyncIterator[Pairs]:
    """Make a player of each engine, with its operator, on prefixes of their own: BullMQ's, then Corral's."""
    async with AsyncExitStack() as closing:

        async def make() -> tuple[OperatedPlayer, OperatedPlayer]:
            client = await closing.enter_async_context(Client(redis_url, prefix=f"{prefix}-ours"))
            link = await client.server.link()
            closing.push_async_callback(link.close)
            ours = CorralSide(client, link, queue_name)
            theirs = NodeQueue(newest, redis_url, f"{prefix}-theirs", queue_name)
            return (
                OperatedPlayer(player(NodeSide(theirs), raw, newest, redis_url), NodeOperator(theirs)),
                OperatedPlayer(
                    player(ours, raw, newest, redis_url), CorralOperator(JobsAdmin(client.server, queue_name))
                ),
            )

        yield make


async def left_by(one: OperatedPlayer) -> Snapshot:
    """What a side has left behind so far."""
    side = one.player.side
    return await snapshot(one.player.raw, side.prefix, side.queue, GIVEN_IDS)


async def part(
    pairs: Pairs, steps: Sequence[Step], intended: Sequence[IntendedDifference]
) -> tuple[str, list[Difference]]:
    """Play both sides step by step: the first step after which they differ, and how. ("", []) for none."""
    players = await pairs()
    for number, step in enumerate(steps):
        for one in players:
            await one.play([step])
        if number % 10 and number != len(steps) - 1:
            continue
        left, right = [await left_by(one) for one in players]
        found = unexplained(diff(left, right), intended)
        if found:
            return f"some step up to {number}: {steps[max(0, number - 9) : number + 1]}", found
    return "", []


def rows(intentions: Sequence[Intention]) -> list[IntendedDifference]:
    """All places of some intentions."""
    return [row for intention in intentions for row in intention.rows()]


def playable(steps: Sequence[Step]) -> list[Step]:
    """Steps without those that both engines take differently for other reasons: see `intended.py`."""
    return [step for step in steps if not isinstance(step, LoseLock | StalledCheck)]


@pytest.mark.parametrize("seed", range(300, 312))
async def test_an_operators_verbs_leave_the_same(seed: int, pairs: Pairs) -> None:
    """Retried, promoted, reprioritized, rescheduled, rewritten and logged by either, jobs are the same."""
    where, found = await part(pairs, playable(draw_controls(seed, 90, together=False)), rows(EVERYWHERE))
    assert not found, f"{where}\n" + "\n".join(map(str, found))


@pytest.mark.parametrize("seed", range(400, 406))
async def test_verbs_for_all_leave_the_same(seed: int, pairs: Pairs) -> None:
    """All failed or completed jobs retried, all delayed ones promoted: the same jobs in the same order."""
    steps = playable(draw_controls(seed, 90, together=True))
    where, found = await part(pairs, steps, [*rows(EVERYWHERE), *rows(TOGETHER[1:])])
    assert not found, f"{where}\n" + "\n".join(map(str, found))


@pytest.mark.parametrize(
    ("intention", "steps"), list(zip(TOGETHER, SHOWN, strict=True)), ids=["priority", "delay"]
)
async def test_each_intended_difference_is_there(
    intention: Intention, steps: list[Step], pairs: Pairs
) -> None:
    """A row of the table above describes what happens, and nothing else happens."""
    left, right = await pairs()
    for one in (left, right):
        await one.play(steps)
    found = diff(await left_by(left), await left_by(right))
    assert any(row.covers(difference) for row in intention.rows() for difference in found)
    assert unexplained(found, [*rows(EVERYWHERE), *intention.rows()]) == []
