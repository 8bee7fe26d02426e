"""Schedules leave the same behind, whoever makes, changes, runs and removes them.

Every difference is meant, and listed with its reason in `intended_schedules.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine

import pytest

from corral.admin.queue import QueueAdmin
from corral.client.client import Client
from tests.interop.bullmq import Node, NodeQueue
from tests.interop.clock import Clock
from tests.interop.corral_side import CorralSide
from tests.interop.intended import EVERYWHERE
from tests.interop.play import player
from tests.interop.schedule_sides import CorralScheduler, NodeScheduler, ScheduledPlayer
from tests.interop.schedule_steps import draw_schedules
from tests.interop.sides import NodeSide
from tests.interop.snapshot import Raw
from tests.interop.timed import OwnTime, part

INTENDED = [row for intention in EVERYWHERE for row in intention.rows()]

Pair = tuple[ScheduledPlayer, ScheduledPlayer]


@pytest.fixture
async def pair(
    newest: Node, raw: Raw, redis_url: str, prefix: str, queue_name: str, clock: Clock
) -> AsyncIterator[Pair]:
    """A player of each engine on prefixes of their own: BullMQ's, then Corral's."""
    theirs = NodeQueue(newest, redis_url, f"{prefix}-theirs", queue_name)
    async with Client(redis_url, prefix=f"{prefix}-ours") as client:
        link = await client.server.link()
        ours = CorralSide(client, link, queue_name)
        yield (
            ScheduledPlayer(player(NodeSide(theirs), raw, newest, redis_url), NodeScheduler(theirs), OwnTime(clock)),
            ScheduledPlayer(
                player(ours, raw, newest, redis_url),
                CorralScheduler(QueueAdmin(client.server, queue_name)),
                OwnTime(clock),
            ),
        )
        await link.close()


@pytest.mark.parametrize("seed", range(500, 512))
async def test_schedules_leave_the_same(seed: int, pair: Pair) -> None:
    """Made, changed, run, retried, drained and removed, schedules and their iterations are the same."""
    where, found = await part(pair, draw_schedules(seed, 60), INTENDED)
    assert not found, f"{where}\n" + "\n".join(map(str, found))
