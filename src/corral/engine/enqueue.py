"""Enqueue: a job comes into being."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.record import NewJob
from corral.engine.script import load

__all__ = ["MAX_JOBS_PER_CALL", "Added", "add_jobs"]

MAX_JOBS_PER_CALL: Final = 500
"""One call holds the server for some milliseconds at this size."""

LIBRARY: Final = "corral"

Added = int | bytes
"""0 added; 1 a job with this id was there already; or the id of the job that it was deduplicated into."""


async def add_jobs(
    link: Link,
    keys: QueueKeys,
    jobs: Sequence[NewJob],
    *,
    sender: str = "",
    number: int = 0,
    clock: Word = "",
    timeout: float | None = None,
) -> list[Added]:
    """Add jobs in one atomic call, in their order. At most `MAX_JOBS_PER_CALL`.

    Args:
        sender: with `number`, lets the same call be sent again without adding anything twice.
        clock: milliseconds since the epoch for tests; empty for the server's time.
    """
    words: Iterable[Word] = chain.from_iterable(jobs)
    reply: list[Added] = await link.run(
        load("enqueue/add_jobs"), keys, keys.base, clock, sender, number, LIBRARY, *words, timeout=timeout
    )
    return reply
