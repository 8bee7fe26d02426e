"""Control of a whole queue: whether it hands out jobs, and its settings."""

from __future__ import annotations

from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["pause_queue", "resume_queue", "trim_events", "write_setting"]

IDS_PER_CALL: Final = 2000
"""How many ids a call moves from one list to another, one by one: about a millisecond."""

EVENTS_PER_CALL: Final = 10_000


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


async def write_setting(server: Server, keys: QueueKeys, name: str, value: Word) -> None:
    """Write one field of `meta`, or delete it when the value is empty. May be sent again."""
    if value == "":
        await server.call("HDEL", keys.key("meta"), name)
    else:
        await server.call("HSET", keys.key("meta"), name, value)


async def trim_events(server: Server, keys: QueueKeys, count: int) -> int:
    """Cut the event stream towards `count` events, at most some thousands a call. Returns how many went."""
    removed: int = await server.call(
        "XTRIM", keys.key("events"), "MAXLEN", "~", count, "LIMIT", EVENTS_PER_CALL
    )
    return removed
