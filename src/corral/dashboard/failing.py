"""What fails now: the causes of all queues that failed last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from corral.admin.lookout import QueueGlance
from corral.contracts.states import JobState
from corral.dashboard.failures import Cause
from corral.http.damage import of_each
from corral.http.desk import Desk

__all__ = ["failing"]

SHOWN: Final = 5
LOOKED_AT: Final = 4 * SHOWN
"""Causes of a queue: some may be no failures, but jobs that somebody cancelled or newer ones superseded."""
FILED: Final = 100
"""How many failed jobs of a queue are filed at most by a look at this."""


async def failing(desk: Desk, queues: Sequence[QueueGlance]) -> list[Cause]:
    """At most five, the latest to fail first, without what was cancelled or superseded. Only the five queues in which
    something failed last are looked at, and the latest twenty causes of each. One that cannot be read has none."""
    failed = [queue for queue in queues if queue.counts[JobState.FAILED]]
    latest = sorted(failed, key=lambda queue: queue.last_failed, reverse=True)[:SHOWN]
    names = [one.queue for one in latest]
    found = await of_each(
        names, lambda name: desk.admin.queue(name).failures.groups(limit=LOOKED_AT, catch_up=FILED)
    )
    causes = [
        Cause(name, group)
        for name, groups in found.items() if groups
        for group in groups.groups if not group.kind.is_wanted
    ]  # fmt: skip
    return sorted(causes, key=lambda cause: cause.group.last_seen, reverse=True)[:SHOWN]
