"""Publish: a program writes an event of its own into the stream of a queue."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from corral.engine.keys import QueueKeys
from corral.engine.script import load
from corral.engine.server import Server

__all__ = ["write_event"]


async def write_event(server: Server, keys: QueueKeys, name: str, words: Sequence[str]) -> str:
    """Write one event: its name, and its fields as names and values in turn. Returns the entry's id.

    Sent again until it is answered, and written once. Raises `QueueFull` or `ServerUnavailable`.
    """
    sender, number = uuid.uuid4().hex, 1

    async def write() -> bytes:
        entry: bytes = await server.run(load("publish/write_event"), keys, sender, number, name, *words)
        return entry

    return (await server.patiently(write)).decode()
