"""Claim: a worker takes ready jobs to run them."""

from __future__ import annotations

from typing import NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.record import Claimed
from corral.engine.script import load

__all__ = ["Claim", "Claims", "claim_jobs"]


class Claim(NamedTuple):
    """What a worker asks for.

    `token` is written to the locks, which last `lock_ms`. `sender` and `number` let a call be sent again: it then
    gives the same jobs. `rate_max` and `window_ms` are the worker's own rate limit, empty for none. `singletons` are
    its rules for jobs that do not carry one (JSON, or empty; see `contracts/singleton.py`), and `max_stalled` is how
    often the job of a dead holder may stall.
    """

    wanted: int
    token: str
    lock_ms: int
    worker: str = ""
    sender: str = ""
    number: int = 0
    rate_max: Word = ""
    window_ms: Word = ""
    singletons: str = ""
    max_stalled: int = 1


class Claims(NamedTuple):
    """What a worker got: the server's time (ms), ms until a rate limit ends (0: none kept jobs back), the due time
    (ms) of the next delayed job (0 for none), the jobs, and the schedules among them that want their next times
    prepared."""

    now: int
    limited_ms: int
    next_due: int
    jobs: list[Claimed]
    unprepared: list[bytes]


async def claim_jobs(
    link: Link, keys: QueueKeys, claim: Claim, *, clock: Word = "", timeout: float | None = None
) -> Claims:
    """Start up to `claim.wanted` jobs in one call."""
    now, limited_ms, next_due, rows, unprepared = await link.run(
        load("claim/claim_jobs"),
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
        timeout=timeout,
    )
    return Claims(now, limited_ms, next_due, list(map(Claimed._make, rows)), unprepared)
