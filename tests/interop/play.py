"""Playing one drawn sequence on a side, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from corral.client.client import Client
from corral.engine.link import Link
from tests.interop.bullmq import Node, NodeQueue
from tests.interop.comparison import Difference, IntendedDifference, diff, unexplained
from tests.interop.corral_side import CorralSide
from tests.interop.operations import GIVEN_IDS, Operation
from tests.interop.sides import NodeSide, Player, Side
from tests.interop.snapshot import Raw, Snapshot, snapshot

Spoil = Callable[[Raw, str], Awaitable[object]]


def player(side: Side, raw: Raw, operator: Node, url: str) -> Player:
    """Make a player for a side; `operator` is the Node process that pauses and resumes."""
    return Player(side, raw, NodeQueue(operator, url, side.prefix, side.queue))


@dataclass
class Engines:
    """BullMQ and Corral on one server, on prefixes of their own."""

    raw: Raw
    node: Node
    url: str
    prefix: str
    client: Client
    link: Link

    def players(self, queue: str) -> tuple[Player, Player]:
        """A player of each on a queue: BullMQ's, then Corral's."""
        theirs = NodeSide(NodeQueue(self.node, self.url, f"{self.prefix}-theirs", queue))
        sides: tuple[Side, Side] = theirs, CorralSide(self.client, self.link, queue)
        first, second = [player(side, self.raw, self.node, self.url) for side in sides]
        return first, second


async def outcome(one: Player, operations: Sequence[Operation], spoil: Spoil | None = None) -> Snapshot:
    """Play the operations and return the snapshot. `spoil(raw, base)` puts a mistake in, to see it found."""
    await one.play(operations)
    if spoil is not None:
        await spoil(one.raw, one.key(""))
    return await snapshot(one.raw, one.side.prefix, one.side.queue, GIVEN_IDS)


async def first_divergence(
    players: Sequence[Player], operations: Sequence[Operation], intended: Sequence[IntendedDifference]
) -> tuple[str, list[Difference]]:
    """Play both sides step by step: name the first step after which they differ, and how. ("", []) for none."""
    for number, operation in enumerate(operations):
        left, right = [await outcome(one, [operation]) for one in players]
        found = unexplained(diff(left, right), intended)
        if found:
            return f"step {number}: {operation}", found
    return "", []
