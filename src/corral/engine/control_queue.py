"""Control of a whole queue: whether it hands out jobs."""

from __future__ import annotations

from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["pause_queue", "resume_queue"]

IDS_PER_CALL: Final = 2000
"""How many ids a call moves from one list to another, one by one: about a millisecond."""


async def pause_queue(server: Server, keys: QueueKeys, *, step: int = IDS_PER_CALL) -> int:
    """One step of pausing a queue. Returns how many ids are still to be moved: call again until 0.

    One step is all, unless BullMQ 5 looks on and an earlier pause has left ids in `paused`. May be sent again.
    """
    left: int = await server.run(load("control/pause_queue"), keys, step)
    return left


async def resume_queue(server: Server, keys: QueueKeys, *, step: int = IDS_PER_CALL) -> int:
    """One step of resuming a queue. Returns how many ids are still to be moved: call again until 0.

    One step is all, unless `wait` and `paused` both hold more than `step` ids: then ids move, the queue stays paused,
    and nobody sees an id in two lists or in none. May be sent again.
    """
    left: int = await server.run(load("control/resume_queue"), keys, step)
    return left
