"""Family: what a job knows of its children, read in pages."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from corral.engine.keys import QueueKeys
from corral.engine.server import Server

__all__ = ["ChildKey", "Results", "child_names", "read_failures", "read_results", "split_key"]

PAGE: Final = 500


class ChildKey(NamedTuple):
    """The key of a child, taken apart."""

    queue: str
    wire_id: str


class Results(NamedTuple):
    """`listed`: ids and names of the children in the order in which Corral added them. `values`: the results (JSON) of
    those that have completed, by their keys."""

    listed: list[tuple[str, str]]
    values: dict[str, bytes]


def split_key(prefix: str, key: str) -> ChildKey:
    """Queue and id of a job's key. A child under another prefix is taken apart at its last two colons."""
    if key.startswith(f"{prefix}:"):
        queue, _, wire_id = key[len(prefix) + 1 :].partition(":")
        return ChildKey(queue, wire_id)
    above, _, wire_id = key.rpartition(":")
    return ChildKey(above.rpartition(":")[2], wire_id)


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
