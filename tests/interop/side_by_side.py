"""Two sides that take the same steps, and what may differ between what they leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from tests.interop.comparison import Difference, IntendedDifference, diff, unexplained
from tests.interop.intended import Intention
from tests.interop.sides import Player
from tests.interop.snapshot import Raw, Snapshot

Mistake = Callable[[Raw, str], Awaitable[object]]
"""Put into what a side has left: it is given what the keys of the queue begin with."""


class Playing(Protocol):
    """One side."""

    async def play(self, step: Any) -> None:
        """Take a step."""
        ...

    async def left(self) -> Snapshot:
        """What it has left behind so far."""
        ...


Pair = tuple[Playing, Playing]
"""BullMQ's side, then Corral's."""


def rows(intentions: Sequence[Intention]) -> list[IntendedDifference]:
    """All places of some intentions."""
    return [row for intention in intentions for row in intention.rows()]


async def assert_same(
    pair: Pair, steps: Sequence[Any], intended: Sequence[IntendedDifference], *, every: int = 5
) -> None:
    """Compare after every few steps, so that a failure names those after which the sides part."""
    for number, step in enumerate(steps, 1):
        for one in pair:
            await one.play(step)
        if number % every and number != len(steps):
            continue
        found = unexplained(await difference(pair), intended)
        last = steps[max(0, number - every) : number]
        assert not found, "\n".join(["they part in", *map(str, last), "", *map(str, found)])


async def difference(pair: Pair) -> list[Difference]:
    """How the two differ now."""
    left, right = [await one.left() for one in pair]
    return diff(left, right)


async def play_both(pair: Pair, steps: Sequence[Any]) -> None:
    """Take all the steps on both sides."""
    for one in pair:
        for step in steps:
            await one.play(step)


async def assert_shown(pair: Pair, intention: Intention, intended: Sequence[IntendedDifference]) -> None:
    """An intended difference is there after its steps, and nothing else."""
    await play_both(pair, intention.shown_by)
    found = await difference(pair)
    assert [one for one in found if any(row.covers(one) for row in intention.rows())]
    left = unexplained(found, [*intended, *intention.rows()])
    assert not left, "\n".join(map(str, left))


async def assert_found(
    pair: Pair,
    steps: Sequence[Any],
    mistake: Callable[[], Awaitable[object]],
    intended: Sequence[IntendedDifference],
) -> None:
    """Both sides leave the same, and a mistake that is put in then is seen."""
    await play_both(pair, steps)
    assert unexplained(await difference(pair), intended) == []
    await mistake()
    assert unexplained(await difference(pair), intended) != []


async def assert_wakes(player: Player) -> None:
    """Where tokens differ from BullMQ's, none is missing: of a running queue there is one for ready jobs, else one for
    delayed jobs, for a time that is not too late."""
    raw, key = player.raw, player.key
    if await raw.hexists(key("meta"), "paused"):
        return
    if await raw.llen(key("wait")) + await raw.zcard(key("prioritized")):
        assert await raw.zscore(key("marker"), "0") == 0
    elif first := await raw.zrange(key("delayed"), 0, 0, withscores=True):
        told = await raw.zscore(key("marker"), "1")
        assert told is not None
        assert told <= int(first[0][1]) // 4096
