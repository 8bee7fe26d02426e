"""Control of many jobs, a bounded number a call: by what they have in common, not by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from corral.contracts.states import JobState
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.sender import UNNUMBERED, Sent
from corral.engine.server import Server

__all__ = ["PAGE", "Page", "Place", "Selection", "promote_page", "remove_failed", "retry_matching"]

PAGE: Final = 100
"""How many jobs one call looks at: some milliseconds of the server's time."""


class Place(NamedTuple):
    """A place in a sorted set: behind this score and this member."""

    score: Word = "-inf"
    job_id: Word = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """Finished jobs of one state, by the time of their end (ms, both ends included), name, and a text in the reason."""

    state: JobState
    highest: Word
    name: str = ""
    reason: str = ""


class Page(NamedTuple):
    """What a step did: how many it looked at (-1: it was too early), how many it took, and where it ended."""

    seen: int
    taken: int
    end: Place


async def retry_matching(
    server: Server,
    keys: QueueKeys,
    selection: Selection,
    place: Place,
    *,
    most: int,
    anew: int = 0,
    size: int = PAGE,
    sent: Sent = UNNUMBERED,
    clock: Word = "",
) -> Page:
    """Make up to `most` of the next `size` finished jobs ready again, those that match."""
    seen, taken, *end = await server.run(
        load("control/retry_matching"),
        keys,
        keys.base,
        clock,
        sent.sender,
        sent.number,
        selection.state,
        place.score,
        place.job_id,
        selection.highest,
        size,
        most,
        selection.name,
        selection.reason,
        anew,
    )
    return Page(seen, taken, Place(*end))


async def promote_page(
    server: Server,
    keys: QueueKeys,
    place: Place,
    highest: Word,
    sent: Sent = UNNUMBERED,
    *,
    size: int = PAGE,
) -> Page:
    """Make the next `size` delayed jobs ready, the earliest first, up to the score `highest`."""
    seen, taken, *end = await server.run(
        load("control/promote_page"),
        keys,
        keys.base,
        sent.sender,
        sent.number,
        place.score,
        place.job_id,
        highest,
        size,
    )
    return Page(seen, taken, Place(*end))


async def remove_failed(
    server: Server, keys: QueueKeys, wire_ids: Sequence[Word], *, sent: Sent = UNNUMBERED, clock: Word = ""
) -> int:
    """Remove those of some jobs, at most `PAGE`, that are failed. How many were removed."""
    removed: int = await server.run(
        load("control/remove_failed"), keys, keys.base, clock, sent.sender, sent.number, *wire_ids
    )
    return removed
