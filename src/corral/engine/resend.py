"""Sending a call again until it is answered. Only calls that may be repeated come here: all of the engine's may."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from corral.engine.faults import Unanswered
from corral.errors import ServerUnavailable

__all__ = ["until_answered"]

T = TypeVar("T")
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0


async def until_answered(
    call: Callable[[], Awaitable[T]],
    *,
    within: float | None,
    server: str = "the server",
    on_trouble: Callable[[Unanswered, float], None] | None = None,
) -> T:
    """Call, and call again after each `Unanswered`, with growing pauses (jittered, 50 ms to 2 s).

    Args:
        call: makes one attempt. It has a deadline of its own, the link's, so that the first one, which nearly always
            is answered, needs no other.
        within: seconds in all, None for as long as it takes.
        server: its address, for the error.
        on_trouble: told of each failure and of the pause before the next attempt.

    Raises:
        ServerUnavailable: `within` is over.
    """
    loop = asyncio.get_running_loop()
    began, pause, first = loop.time(), FIRST_PAUSE, True
    while True:
        try:
            if first or within is None:
                first = False
                return await call()
            async with asyncio.timeout_at(began + within):
                return await call()
        except Unanswered as error:
            trouble = error
        except TimeoutError:
            raise ServerUnavailable(server, within or 0.0, "no answer") from None
        wait = pause * random.uniform(0.5, 1.0)
        if within is not None and loop.time() + wait >= began + within:
            raise ServerUnavailable(trouble.server, within, trouble.cause) from trouble
        if on_trouble is not None:
            on_trouble(trouble, wait)
        await asyncio.sleep(wait)
        pause = min(pause * 2, LONGEST_PAUSE)
