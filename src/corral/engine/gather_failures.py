"""Gather failures: what BullMQ keeps of them by time is kept by fingerprint beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.script import load
from corral.engine.server import Server

__all__ = [
    "Filed",
    "GroupRow",
    "Groups",
    "drop_stale",
    "file_failures",
    "forget_cursor",
    "read_cursor",
    "tend_groups",
]

IDS_PER_CALL: Final = 1000
KEEP_MS: Final = 7 * 24 * 3600 * 1000


class Filed(NamedTuple):
    """A job and the group that it belongs to, as a text that says what the group has in common."""

    fingerprint: str
    group: str
    wire_id: bytes
    ended: bytes


class GroupRow(NamedTuple):
    """A group of failures as it is kept."""

    fingerprint: str
    group: bytes
    size: int
    first: int
    last: int
    example: bytes


class Groups(NamedTuple):
    """All groups; how many failed jobs there are, and how many of them, the newest, the groups are about."""

    total: int
    counted: int
    rows: list[GroupRow]

    @property
    def filed(self) -> int:
        """How many ids the groups have."""
        return sum(row.size for row in self.rows)


async def read_cursor(server: Server, keys: QueueKeys) -> bytes:
    """How far the failed jobs are filed: what `file_failures` was given; empty when nothing is."""
    cursor: bytes | None = await server.call("HGET", keys.key("failures"), "cursor")
    return cursor or b""


async def forget_cursor(server: Server, keys: QueueKeys) -> None:
    """Have all failed jobs filed once more."""
    await server.call("HDEL", keys.key("failures"), "cursor")


async def file_failures(
    server: Server, keys: QueueKeys, rows: Sequence[Filed], *, before: Word, after: Word
) -> tuple[bool, int]:
    """File some failed jobs, and move the cursor. False when somebody else has moved it: then it stays. And about how
    many groups there are."""
    words: list[Any] = [word for row in rows for word in row]
    keep_ms = KEEP_MS
    moved, groups = await server.run(load("gather/file_failures"), keys, before, after, keep_ms, *words)
    return bool(moved), groups


async def tend_groups(server: Server, keys: QueueKeys, *, window: int, most: int) -> Groups:
    """Keep the groups within bounds, and list them, the latest to fail first."""
    keep_ms = KEEP_MS
    total, counted, *rows = await server.run(load("gather/tend_groups"), keys, window, most, keep_ms)
    return Groups(
        total,
        counted,
        [
            GroupRow(name.decode(), group, size, int(float(first)), int(float(last)), example)
            for name, group, size, first, last, example in rows
        ],
    )


async def drop_stale(
    server: Server, keys: QueueKeys, fingerprint: str, first: int, *, size: int = IDS_PER_CALL
) -> tuple[int, int]:
    """Drop ids of a group that are no longer failed, of a page that begins at a rank. How many were looked at, and how
    many of them stayed."""
    looked, stayed = await server.run(load("gather/drop_stale"), keys, fingerprint, first, size)
    return looked, stayed
