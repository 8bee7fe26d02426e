"""Workers as their connections show them: by the names that they give them (BullMQ: getWorkers)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from corral.contracts.names import check_queue_name
from corral.errors import InvalidQueueName

__all__ = ["Connection", "connections_in"]

_SOCKET = re.compile(r"\[?(/.*?)(?::0)?(?:\]:0)?\Z")
"""How Redis and Valkey write the address of a unix socket: `/run/redis.sock:0`, `[/run/redis.sock:0]:0`."""


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection on which a worker, Corral's or another BullMQ client's, waits for the jobs of a queue."""

    queue: str
    name: str
    """What the worker calls itself; empty for a Node worker without a name."""
    address: str
    age: float
    """Seconds since it connected."""
    idle: float
    """Seconds since it last asked for work."""


def connections_in(lines: Iterable[str], prefix: str) -> list[Connection]:
    """Those of workers among the lines of CLIENT LIST, by name and age. What cannot be read is left out."""
    found = []
    for line in lines:
        fields = {name: value for name, _, value in (part.partition("=") for part in line.split(" "))}
        shown = fields.get("name", "")
        # The prefix may have any text in it; what follows it, the queue in base64, has no colon.
        coded, _, name = shown.removeprefix(f"{prefix}:").partition(":w:")
        queue = _queue(coded) if shown.startswith(f"{prefix}:") else None
        if queue is not None:
            connection = Connection(
                queue,
                name,
                _SOCKET.sub(r"\1", fields.get("addr", "")),
                _seconds(fields.get("age")),
                _seconds(fields.get("idle")),
            )
            found.append(connection)
    return sorted(found, key=lambda connection: (connection.name, -connection.age, connection.address))


def _queue(coded: str) -> str | None:
    """The queue that a part of a name means; None when no queue can be called so."""
    try:
        return check_queue_name(base64.b64decode(coded, validate=True).decode())
    except (ValueError, InvalidQueueName):
        return None


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isdecimal() else 0.0
