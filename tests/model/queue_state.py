"""What a queue consists of, and the small moves that all calls are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.model.calls import Sent

PLACES = 4096
HIGH = 1 << 32
HELD_OFF = 2**53 - 1


@dataclass
class QueueState:
    """Everything that the server should hold for one queue. Lists stand as on the server: the head first."""

    now: int
    base: str = ""
    wait: list[str] = field(default_factory=list)
    active: list[str] = field(default_factory=list)
    delayed: dict[str, int] = field(default_factory=dict)
    prioritized: dict[str, int] = field(default_factory=dict)
    completed: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    waiting_children: dict[str, int] = field(default_factory=dict)
    families: dict[str, Any] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    logs: dict[str, list[str]] = field(default_factory=dict)
    suspects: set[str] = field(default_factory=set)
    marker: dict[str, int] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    endless: set[str] = field(default_factory=set)
    kept: dict[str, dict[str, Any]] = field(default_factory=dict)
    schedules: dict[str, Any] = field(default_factory=dict)
    sent: dict[str, Sent] = field(default_factory=dict)
    events: list[dict[str, str]] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    arrivals: int = 0
    added: int = 0
    is_paused: bool = False
    concurrency: int | None = None
    rate: int | None = None
    started: int = 0
    is_held: bool = False
    unfiled: list[str] = field(default_factory=list)
    unswept: int = 0
    policy: tuple[str, int, int] = ("", -1, -1)

    # --- small moves ------------------------------------------------------------------------------------

    def say(self, event: str, **fields: object) -> None:
        """An event."""
        self.events.append({"event": event, **{name: str(value) for name, value in fields.items()}})

    def wake(self) -> None:
        """Something is ready, and might have started when the call began."""
        if not self.is_held:
            self.marker["0"] = 0

    def is_full(self) -> bool:
        """Whether as many run as may run at once."""
        return self.concurrency is not None and len(self.active) >= self.concurrency

    def is_limited(self) -> bool:
        """Whether nothing may start until the window ends."""
        return self.started >= (self.rate or HELD_OFF)

    def begin(self) -> None:
        """A call begins: what it wakes depends on whether anything could start now."""
        self.is_held = self.is_paused or self.is_full()

    def pass_baton(self) -> None:
        """Something is still ready and may start: one more worker is woken."""
        self.begin()
        if self.wait or self.prioritized:
            self.wake()

    def prioritize(self, wire_id: str, priority: int, *, front: bool = False) -> None:
        """Into the line of those with a priority."""
        if not front:
            self.arrivals += 1
        self.prioritized[wire_id] = priority * HIGH + (0 if front else self.arrivals)

    def ready(self, wire_id: str, *, front: bool = False) -> None:
        """Behind the others, or before them; somebody is woken."""
        priority = int(self.jobs[wire_id]["priority"])
        if priority:
            self.prioritize(wire_id, priority, front=front)
        else:
            self.wait.insert(len(self.wait) if front else 0, wire_id)
        self.wake()

    def delay(self, wire_id: str, milliseconds: int) -> None:
        """Due later: after those of the same millisecond that came before."""
        floor = (self.now + milliseconds) * PLACES
        there = [score for score in self.delayed.values() if floor <= score < floor + PLACES]
        self.delayed[wire_id] = min(max(there) + 1, floor + PLACES - 1) if there else floor
        self.say("delayed", jobId=wire_id, delay=self.now + milliseconds)
        self.marker["1"] = min(self.delayed.values()) // PLACES

    def store(
        self, wire_id: str, delay: int, priority: int, *, data: str = "", opts: Any = None, **more: str
    ) -> None:
        """The hash of a new job."""
        self.jobs[wire_id] = {
            "name": "n",
            "data": data or f'"{wire_id}"',
            "opts": opts or {},
            "timestamp": str(self.now),
            "delay": str(delay),
            "priority": str(priority),
            **{name: value for name, value in more.items() if value},
        }
        self.say("added", jobId=wire_id, name="n")

    def forget(self, wire_id: str) -> None:
        """All keys of a job are gone."""
        for part in (self.jobs, self.locks, self.logs):
            part.pop(wire_id, None)


def rank(scores: dict[str, int]) -> list[tuple[str, int]]:
    """A sorted set in the server's order."""
    return sorted(scores.items(), key=lambda item: (item[1], item[0].encode()))
