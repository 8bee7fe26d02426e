"""Family: what a job knows of its children, read in pages."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.server import Server

__all__ = [
    "PARTS",
    "Results",
    "child_names",
    "count_children",
    "page_children",
    "read_failures",
    "read_results",
]

PAGE: Final = 500

PARTS: Final = {
    "pending": ("dependencies", "SSCAN"),
    "completed": ("processed", "HSCAN"),
    "tolerated": ("failed", "HSCAN"),
    "fatal": ("unsuccessful", "ZSCAN"),
}
"""Where the children of a job are kept, by what became of them, and how each is read in pages."""


class Results(NamedTuple):
    """`listed`: ids and names of the children in the order in which Corral added them. `values`: the results (JSON) of
    those that have completed, by their keys."""

    listed: list[tuple[str, str]]
    values: dict[str, bytes]


async def read_results(server: Server, keys: QueueKeys, wire_id: str) -> Results:
    """The results of a job's children."""
    text: bytes | None = await server.call("HGET", keys.job(wire_id), "children")
    return Results(_listed(text), await _read_hash(server, keys.job(wire_id) + ":processed"))


async def read_failures(server: Server, keys: QueueKeys, wire_id: str) -> dict[str, str]:
    """The reasons of the children that failed and were tolerated, by their keys."""
    found = await _read_hash(server, keys.job(wire_id) + ":failed")
    return {key: reason.decode("utf-8", "replace") for key, reason in found.items()}


async def child_names(server: Server, keys: list[str]) -> list[str | None]:
    """The names of jobs by their keys, None where one is not kept."""
    found = [await server.call("HGET", key, "name") for key in keys]
    return [None if name is None else name.decode("utf-8", "replace") for name in found]


async def count_children(server: Server, keys: QueueKeys, wire_id: str) -> dict[str, int]:
    """How many children of a job there are, by what became of them."""
    key = keys.job(wire_id)
    counts = await server.calls(
        [
            ("SCARD", f"{key}:dependencies"),
            ("HLEN", f"{key}:processed"),
            ("HLEN", f"{key}:failed"),
            ("ZCARD", f"{key}:unsuccessful"),
        ]
    )
    return dict(zip(PARTS, counts, strict=True))


async def page_children(
    server: Server, keys: QueueKeys, wire_id: str, part: str, *, cursor: int = 0, limit: int = 100
) -> tuple[list[tuple[str, bytes]], int]:
    """Some children of one kind, each with its result or reason, and where to go on (0: nowhere). Small families come
    whole, whatever the limit."""
    suffix, command = PARTS[part]
    found, flat = await server.call(command, f"{keys.job(wire_id)}:{suffix}", cursor, "COUNT", limit)
    names = [key.decode("utf-8", "surrogateescape") for key in (flat if command == "SSCAN" else flat[::2])]
    values = flat[1::2] if command == "HSCAN" else [b""] * len(names)
    return list(zip(names, values, strict=True)), int(found)


def _listed(text: bytes | None) -> list[tuple[str, str]]:
    try:
        rows: list[Any] = json.loads(b"[%s]" % (text or b""))
        return [(str(wire_id), str(name)) for wire_id, name in rows]
    except ValueError:  # somebody else's field of that name: the order is not known then
        return []


async def _read_hash(server: Server, key: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    cursor: Any = b"0"
    while True:
        cursor, flat = await server.call("HSCAN", key, cursor, "COUNT", PAGE)
        names = (name.decode("utf-8", "surrogateescape") for name in flat[::2])
        found.update(zip(names, flat[1::2], strict=True))
        if cursor == b"0":
            return found
