"""Verbs that go over many jobs, within the time of a request.

They go in steps, each of which leaves a valid queue. When the time is over, the verb is stopped between two of them,
the answer says how far it came, and the same request goes on with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from pydantic import Field

from corral.admin.steps import Progress
from corral.http.model import Shown

__all__ = ["SECONDS", "Outcome", "within_time"]

SECONDS: Final = 10.0
"""How long a request may take."""


class Outcome(Shown):
    """How far a verb came."""

    finished: bool = Field(description="False: its time was over. Send the request again to go on.")
    count: int | None = Field(description="For how many jobs it was done; null when it was stopped.")
    looked_at: int = Field(description="How many jobs it has looked at.")
    remaining: int = Field(
        description="How many are left to look at, of those that there were when it began."
    )


async def within_time(
    verb: Callable[[Progress], Awaitable[int | None]], *, seconds: float = SECONDS
) -> Outcome:
    """Carry out a verb that reports its progress, for so long."""
    seen, whole = 0, 0

    def report(done: int, total: int) -> None:
        nonlocal seen, whole
        seen, whole = done, total

    try:
        async with asyncio.timeout(seconds):
            count = await verb(report)
    except TimeoutError:
        return Outcome(finished=False, count=None, looked_at=seen, remaining=max(0, whole - seen))
    return Outcome(finished=True, count=count, looked_at=seen, remaining=0)
