"""Samples of minutes long over, as a sampler has written them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import redis.asyncio

from corral.contracts.sample import Sample
from corral.contracts.states import JobState
from corral.contracts.stretch import MINUTE_MS
from corral.engine.keys import QueueKeys

__all__ = ["at_ms", "write_samples"]


def at_ms(milliseconds: int) -> datetime:
    """A time since the epoch."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


async def write_samples(
    raw: redis.asyncio.Redis,
    keys: QueueKeys,
    begin: int,
    minutes: Iterable[int],
    *,
    completed: int = 0,
    waiting: int = 0,
    wait_p95: int | None = None,
) -> None:
    """Samples of the minutes so many after `begin` (ms), all alike."""
    text = Sample(
        at=at_ms(begin), counts={JobState.WAITING: waiting}, completed=completed, failed=0, wait_p95=wait_p95
    ).encode()
    async with raw.pipeline(transaction=False) as pipe:
        for minute in minutes:
            pipe.xadd(keys.key("samples"), {"sample": text}, id=f"{begin + minute * MINUTE_MS}-0")
        await pipe.execute()
