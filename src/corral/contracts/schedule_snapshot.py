"""A schedule as it is stored, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from corral.contracts.schedule import Repeat
from corral.contracts.schedule_wire import decode_rule, instant, iteration_id
from corral.contracts.strict_json import parse_strict_json
from corral.contracts.wire_options import NO_OPTIONS, StoredOptions, decode_options

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
    """When its next job is due. UTC."""
    iterations: int = 0
    """How many jobs it has made."""
    data: Any = None
    """The payload of its jobs, as JSON has it."""
    opts: StoredOptions = NO_OPTIONS
    legacy: bool = False
    """A repeatable job of BullMQ before 5.16, which v6 and Corral no longer run."""
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
        return max(0, self.rule.limit - self.iterations + 1)

    def upcoming(self, count: int) -> list[datetime]:
        """The next ``count`` runs, or fewer when it ends before."""
        if self.rule is None or self.next_ms is None:
            return []
        wanted = count if self.runs_left is None else min(count, self.runs_left)
        if wanted < 1:
            return []
        return [instant(run) for run in (self.next_ms, *self.rule.upcoming(wanted - 1, self.next_ms))]

    @staticmethod
    def from_fields(
        queue: str, schedule_id: str, fields: Mapping[str, str], next_ms: int | None, policies: str = ""
    ) -> Schedule:
        """A schedule from its hash, its score and Corral's own note of its policies. Never fails: see ``malformed``."""
        malformed: dict[str, str] = {}

        def read(name: str, reader: Any, *given: Any) -> Any:
            try:
                return reader(*given)
            except (ValueError, OverflowError) as error:
                malformed[name] = str(error)
                return None

        return Schedule(
            id=schedule_id,
            queue=queue,
            name=fields.get("name", ""),
            rule=read("rule", decode_rule, fields, policies),
            next_run=None if next_ms is None else read("next", instant, next_ms),
            iterations=read("ic", int, fields.get("ic", "0")) or 0,
            data=read("data", parse_strict_json, fields.get("data") or "{}"),
            opts=read("opts", decode_options, fields.get("opts") or "{}") or NO_OPTIONS,
            legacy="ic" not in fields,
            malformed=MappingProxyType(malformed),
        )
