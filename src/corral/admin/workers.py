"""Who works on a queue: read from the names that workers give their connections (BullMQ: getWorkers)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from corral.contracts.names import connection_name

__all__ = ["QueueWorker", "workers_in"]

_SOCKET = re.compile(r"\[?(/.*?)(?::0)?(?:\]:0)?\Z")
"""How Redis and Valkey write the address of a unix socket: `/run/redis.sock:0`, `[/run/redis.sock:0]:0`."""


@dataclass(frozen=True, slots=True)
class QueueWorker:
    """One worker, Corral's or another BullMQ client's, as its blocking connection shows it."""

    name: str
    """What it calls itself: for Corral host and process id unless told otherwise; empty for a Node worker without."""
    address: str
    """Where it connects from: `host:port`, or the path of a unix socket."""
    age: float
    """Seconds since it connected."""
    idle: float
    """Seconds since it last asked for work."""


def workers_in(lines: Iterable[str], prefix: str, queue: str) -> list[QueueWorker]:
    """The workers of a queue among the lines of CLIENT LIST, by name and age. What cannot be read is left out."""
    plain = connection_name(prefix, queue)
    named = connection_name(prefix, queue, "x").removesuffix("x")
    found = []
    for line in lines:
        fields = {name: value for name, _, value in (part.partition("=") for part in line.split(" "))}
        name = fields.get("name", "")
        if name == plain or name.startswith(named):
            worker = QueueWorker(
                name.removeprefix(named) if name != plain else "",
                _SOCKET.sub(r"\1", fields.get("addr", "")),
                _seconds(fields.get("age")),
                _seconds(fields.get("idle")),
            )
            found.append(worker)
    return sorted(found, key=lambda worker: (worker.name, -worker.age, worker.address))


def _seconds(text: str | None) -> float:
    return float(text) if text is not None and text.isdecimal() else 0.0
