"""Settle: the outcome of a run is stored, in one call with the next claim."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import NamedTuple

from corral.engine.claim import Claim
from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.record import Claimed, Settlement
from corral.engine.script import load

__all__ = ["Committed", "commit_jobs"]


class Committed(NamedTuple):
    """The reply to a commit: as `Claims`, and one code a settlement (0, or a `Refusal`). `next_due` is -1 when no
    job was asked for."""

    now: int
    limited_ms: int
    next_due: int
    codes: list[int]
    jobs: list[Claimed]
    unprepared: list[bytes]


async def commit_jobs(
    link: Link,
    keys: QueueKeys,
    settlements: Sequence[Settlement],
    claim: Claim,
    *,
    metric_points: int = 0,
    clock: Word = "",
    timeout: float | None = None,
) -> Committed:
    """Settle runs and claim up to `claim.wanted` jobs in one atomic call. Sent again with the same
    `claim.sender` and `claim.number` it settles nothing twice and gives the same jobs."""
    words = chain.from_iterable(settlements)
    now, limited_ms, next_due, codes, rows, unprepared = await link.run(
        load("settle/commit_jobs"),
        keys,
        keys.base,
        clock,
        claim.sender,
        claim.number,
        claim.wanted,
        claim.token,
        claim.lock_ms,
        claim.worker,
        claim.rate_max,
        claim.window_ms,
        claim.singletons,
        claim.max_stalled,
        metric_points,
        *words,
        timeout=timeout,
    )
    return Committed(now, limited_ms, next_due, codes, list(map(Claimed._make, rows)), unprepared)
