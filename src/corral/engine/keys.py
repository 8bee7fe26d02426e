"""The names of a queue's keys. Layout: BullMQ's, and Corral's own beside it."""

from __future__ import annotations

from typing import Final

from corral.contracts.names import check_queue_name
from corral.engine.slots import hash_tag, slot_of

# What the scripts call a key, and its suffix behind `<prefix>:<queue>:`.
SUFFIXES: Final = {
    "wait": "wait",
    "active": "active",
    "paused": "paused",
    "prioritized": "prioritized",
    "pc": "pc",
    "delayed": "delayed",
    "completed": "completed",
    "failed": "failed",
    "waiting_children": "waiting-children",
    "id": "id",
    "meta": "meta",
    "events": "events",
    "marker": "marker",
    "limiter": "limiter",
    "stalled": "stalled",
    "stalled_check": "stalled-check",
    "repeat_": "repeat",
    "metrics_completed": "metrics:completed",
    "metrics_completed_data": "metrics:completed:data",
    "metrics_failed": "metrics:failed",
    "metrics_failed_data": "metrics:failed:data",
}

# Corral's own keys, behind `<prefix>::corral:<queue>:`. The empty queue name keeps BullMQ's tools from taking
# them for jobs; the same prefix (and its hash tag, if any) keeps them in the queue's slot.
OWN_SUFFIXES: Final = {
    "sent": "sent:",
    "schedules": "schedules",
    "swept": "swept",
    "limit_changes": "limits",
    "failures": "failures",
    "failed_ids": "failures:",
    "holders": "holders",
    "aside": "aside:",
    "worker_records": "workers",
    "worker_beats": "beats",
    "orders": "orders",
    "once": "once:",
    "samples": "samples",
    "sampled": "sampled",
    "quarters": "quarters",
}


NOTHING: Final = "nothing"


class QueueKeys:
    """The keys of one queue under one prefix.

    Attributes:
        slot: the hash slot of all of them in a cluster; None without a hash tag, as they lie in several then.
        nothing: a key that never exists. Scripts declare it on a cluster: while a slot moves to another node, the
            server refuses a script that misses one of its keys, instead of running it on what is left here.
    """

    __slots__ = ("_cache", "base", "nothing", "own_base", "prefix", "queue", "slot")

    def __init__(self, prefix: str, queue: str) -> None:
        check_queue_name(queue)
        self.prefix = prefix
        self.queue = queue
        self.base = f"{prefix}:{queue}:"
        self.own_base = own = f"{prefix}::corral:{queue}:"
        self.nothing = f"{own}{NOTHING}"
        tag = hash_tag(self.base)
        self.slot = None if tag is None or hash_tag(own) != tag else slot_of(self.base)
        self._cache: dict[tuple[str, ...], tuple[str, ...]] = {}

    def key(self, name: str) -> str:
        """The full key for a name that the scripts use (`wait`, `metrics_completed`, `sent`, …)."""
        own = OWN_SUFFIXES.get(name)
        if own is not None:
            return self.own_base + own
        return self.base + SUFFIXES[name]

    def job(self, wire_id: str) -> str:
        """The key of a job's hash."""
        return self.base + wire_id

    def all(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """The keys for several names, in their order."""
        found = self._cache.get(names)
        if found is None:
            found = self._cache[names] = tuple(self.key(name) for name in names)
        return found
