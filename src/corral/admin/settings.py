"""The settings of a queue, as its operator sees them."""

from __future__ import annotations

from dataclasses import dataclass

from corral.contracts.rate_limit import RateLimit

__all__ = ["QueueSettings"]


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """What holds for a queue, whoever works on it (BullMQ: the `meta` hash). None where nothing is set."""

    paused: bool
    """It hands out no jobs."""
    concurrency: int | None
    """How many of its jobs may run at once, over all workers."""
    rate_limit: RateLimit | None
    """How fast its jobs may start, over all workers."""
    max_events: int | None
    """About how many events its stream keeps; 10,000 where nothing is set."""
    version: str | None
    """Who made it: `bullmq:6.7.0`, `corral`."""
    peers: int | None
    """5 or 6, where an operator has said which major version of BullMQ the other programs use."""
