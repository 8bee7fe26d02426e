"""Playing one drawn sequence on a side, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from tests.interop.operations import GIVEN_IDS, Operation
from tests.interop.sides import Player, Side
from tests.interop.snapshot import Raw, Snapshot, snapshot

Spoil = Callable[[Raw, str], Awaitable[object]]


async def outcome(
    side: Side, raw: Raw, operations: Sequence[Operation], spoil: Spoil | None = None
) -> Snapshot:
    """Play the operations and return the snapshot. `spoil(raw, base)` puts a mistake in, to see it found."""
    await Player(side, raw).play(operations)
    if spoil is not None:
        await spoil(raw, f"{side.prefix}:{side.queue}:")
    return await snapshot(raw, side.prefix, side.queue, GIVEN_IDS)


async def first_divergence(
    sides: tuple[Side, Side],
    raw: Raw,
    operations: Sequence[Operation],
    differs: Callable[[Snapshot, Snapshot], bool],
) -> str:
    """Play both sides step by step and return the first step after which they differ (for a failing test)."""
    players = [Player(side, raw) for side in sides]
    for number, operation in enumerate(operations):
        for player in players:
            await player.play([operation])
        left, right = [await snapshot(raw, side.prefix, side.queue, GIVEN_IDS) for side in sides]
        if differs(left, right):
            return f"step {number}: {operation}"
    return "no step alone"
