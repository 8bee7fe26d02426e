"""The same steps taken once by BullMQ and once by Corral leave the same keys, types, fields and events.

Every difference is meant, and listed with its reason in `intended.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack

import pytest

from corral.client.client import Client
from tests.interop.bullmq import Node, NodeQueue
from tests.interop.comparison import IntendedDifference, diff, unexplained
from tests.interop.corral_side import CorralSide
from tests.interop.intended import APART, EVERYWHERE, Intention
from tests.interop.operations import LoseLock, Operation, draw
from tests.interop.play import first_divergence, outcome, player
from tests.interop.sides import NodeSide, Player
from tests.interop.snapshot import Raw

INTENDED: list[IntendedDifference] = [row for intention in EVERYWHERE for row in intention.rows()]

Pairs = Callable[[str], Coroutine[None, None, tuple[Player, Player]]]


@pytest.fixture
async def pairs(newest: Node, raw: Raw, redis_url: str, prefix: str, queue_name: str) -> AsyncIterator[Pairs]:
    """Make a player of each engine on prefixes of their own: BullMQ's, then Corral's."""
    async with AsyncExitStack() as closing:

        async def make(which: str) -> tuple[Player, Player]:
            client = await closing.enter_async_context(Client(redis_url, prefix=f"{prefix}-{which}-ours"))
            link = await client.server.link()
            closing.push_async_callback(link.close)
            ours = CorralSide(client, link, queue_name)
            theirs = NodeSide(NodeQueue(newest, redis_url, f"{prefix}-{which}-theirs", queue_name))
            return player(theirs, raw, newest, redis_url), player(ours, raw, newest, redis_url)

        yield make


async def _assert_same(pairs: Pairs, operations: list[Operation]) -> None:
    left, right = [await outcome(one, operations) for one in await pairs("whole")]
    found = unexplained(diff(left, right), INTENDED)
    if found:
        step, first = await first_divergence(await pairs("steps"), operations, INTENDED)
        pytest.fail(
            "\n".join([f"they part at {step}", *map(str, first), "and at the end:", *map(str, found)])
        )


@pytest.mark.parametrize("seed", [*range(20), 1042, 1171, 1195])
async def test_both_engines_leave_the_same(seed: int, pairs: Pairs) -> None:
    """All forms of adding, claiming, ending, removing and pausing leave the same behind, whoever does it."""
    await _assert_same(pairs, draw(seed, 120, without=(LoseLock,)))


@pytest.mark.parametrize("seed", [*range(100, 112), 2138])
async def test_both_engines_recover_stalled_jobs_alike(seed: int, pairs: Pairs) -> None:
    """With locks that run out, too, both engines leave the same behind (priorities: see `intended.py`)."""
    await _assert_same(pairs, draw(seed, 120, priorities=False))


@pytest.mark.parametrize("seed", range(200, 204))
async def test_ready_jobs_always_leave_a_token(seed: int, pairs: Pairs, raw: Raw) -> None:
    """Where tokens differ from BullMQ's, none is missing: ready jobs of a running queue have one that wakes."""
    _, ours = await pairs("tokens")
    for operation in draw(seed, 100):
        await ours.play([operation])
        ready = await raw.llen(ours.key("wait")) + await raw.zcard(ours.key("prioritized"))
        if ready and not await raw.hexists(ours.key("meta"), "paused"):
            assert await raw.zscore(ours.key("marker"), "0") == 0, operation


@pytest.mark.parametrize("intention", [*EVERYWHERE, *APART], ids=lambda intention: intention.name)
async def test_each_intended_difference_is_there(intention: Intention, pairs: Pairs) -> None:
    """A row of the table of intended differences describes what happens, and nothing else happens."""
    left, right = [await outcome(one, list(intention.shown_by)) for one in await pairs("whole")]
    found = diff(left, right)
    assert any(row.covers(difference) for row in intention.rows() for difference in found)
    assert unexplained(found, [*INTENDED, *intention.rows()]) == []
