"""Control of a whole queue: whether it hands out jobs, its deduplication ids, its settings."""

from __future__ import annotations

from typing import Final

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.sender import Sent
from corral.engine.server import Server

__all__ = [
    "deduplication_owner",
    "pause_queue",
    "remove_deduplication",
    "resume_queue",
    "trim_events",
    "write_setting",
]

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


async def deduplication_owner(server: Server, keys: QueueKeys, deduplication_id: str) -> str | None:
    """The wire id of the job that owns a deduplication id, None when nobody does."""
    owner: bytes | None = await server.call("GET", f"{keys.base}de:{deduplication_id}")
    return None if owner is None else owner.decode(errors="replace")


async def remove_deduplication(
    server: Server, keys: QueueKeys, deduplication_id: str, owner: Word = "", *, sent: Sent
) -> bool:
    """Take a deduplication id from the job that owns it, or only from `owner`. Whether that was so."""
    code = await server.run(
        load("control/remove_deduplication"),
        keys,
        keys.base,
        sent.sender,
        sent.number,
        deduplication_id,
        owner,
    )
    return bool(code == 1)
