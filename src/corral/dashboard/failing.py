"""What fails now: the causes of all queues that failed last."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from corral.admin.lookout import QueueGlance
from corral.contracts.states import JobState
from corral.dashboard.failures import Cause
from corral.http.desk import Desk

__all__ = ["failing"]

SHOWN: Final = 5
FILED: Final = 100
"""How many failed jobs of a queue are filed at most by a look at this."""


async def failing(desk: Desk, queues: Sequence[QueueGlance]) -> list[Cause]:
    """At most five, the latest to fail first. A cause that is among the latest five is in one of the five queues in
    which something failed last, and so no others are looked at."""
    failed = [queue for queue in queues if queue.counts[JobState.FAILED]]
    latest = sorted(failed, key=lambda queue: queue.last_failed, reverse=True)[:SHOWN]
    found = await asyncio.gather(
        *(desk.admin.queue(one.queue).failures.groups(limit=SHOWN, catch_up=FILED) for one in latest)
    )
    causes = [
        Cause(one.queue, group) for one, groups in zip(latest, found, strict=True) for group in groups.groups
    ]
    return sorted(causes, key=lambda cause: cause.group.last_seen, reverse=True)[:SHOWN]
