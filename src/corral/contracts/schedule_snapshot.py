"""A schedule as it is stored, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from corral.contracts.duration import instant
from corral.contracts.names import iteration_id
from corral.contracts.schedule import Repeat
from corral.contracts.wire_options import NO_OPTIONS, StoredOptions

__all__ = ["Schedule"]


def _nothing() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A snapshot of a schedule (BullMQ: job scheduler): plain data. Verbs are on `SchedulesAdmin`."""

    id: str
    queue: str
    name: str
    """The name that its jobs carry: the task's."""
    rule: Repeat | None
    """When it runs. None where that cannot be read: ``malformed`` says why."""
    next_run: datetime | None
    """When its next job is due, in UTC. None when it has ended."""
    iterations: int = 0
    """How many jobs it has made; the last of them waits for the next run."""
    run_number: int = 1
    """The number of the next run, which ``limit`` is for: it begins anew when the schedule is changed."""
    data: Any = None
    """The payload of its jobs, as JSON has it."""
    opts: StoredOptions = NO_OPTIONS
    malformed: Mapping[str, str] = field(default_factory=_nothing)
    """What could not be read, each with the reason."""

    @property
    def next_ms(self) -> int | None:
        """``next_run`` in milliseconds since the epoch."""
        return None if self.next_run is None else round(self.next_run.timestamp() * 1000)

    @property
    def next_job_id(self) -> str | None:
        """The id of the job that waits for the next run."""
        return None if self.next_ms is None else iteration_id(self.id, self.next_ms)

    @property
    def runs_left(self) -> int | None:
        """How many runs ``limit`` still allows, the next one among them; None without a limit."""
        if self.rule is None or self.rule.limit is None:
            return None
        return max(0, self.rule.limit - self.run_number + 1)

    def upcoming(self, count: int) -> list[datetime]:
        """The next ``count`` runs, or fewer when it ends before."""
        if self.rule is None or self.next_ms is None:
            return []
        wanted = count if self.runs_left is None else min(count, self.runs_left)
        if wanted < 1:
            return []
        return [instant(run) for run in (self.next_ms, *self.rule.upcoming(wanted - 1, self.next_ms))]
