"""How each engine takes the steps of schedules."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from corral.admin.queue import QueueAdmin
from corral.contracts.duration import instant
from corral.contracts.options import RunOptions
from corral.contracts.schedule import Cron, Every, Repeat
from corral.errors import InvalidSchedule
from tests.interop.bullmq import NodeError, NodeQueue
from tests.interop.controls import OperatedPlayer
from tests.interop.corral_side import corral_options
from tests.interop.queue_sides import Keeper, without_empty_cleans
from tests.interop.queue_steps import Clean, Drain
from tests.interop.schedule_steps import SCHEDULES, RemoveSchedule, Step, Upsert
from tests.interop.sides import Player
from tests.interop.snapshot import Snapshot, events_by_job, snapshot
from tests.interop.timed import OwnTime, Pass, PassUntilDue


class Scheduler(Protocol):
    """Who makes schedules, and takes them away."""

    async def upsert(self, step: Upsert) -> None: ...
    async def remove(self, schedule: str) -> None: ...


@dataclass
class NodeScheduler:
    """BullMQ's Queue."""

    bull: NodeQueue

    async def upsert(self, step: Upsert) -> None:
        """Queue.upsertJobScheduler."""
        template = {"name": step.name, "opts": step.options}
        if step.data is not None:
            template["data"] = step.data
        await self.bull.call(
            "upsertJobScheduler", scheduler=step.schedule, repeat=step.rule, template=template
        )

    async def remove(self, schedule: str) -> None:
        """Queue.removeJobScheduler."""
        await self.bull.call("removeJobScheduler", scheduler=schedule)


@dataclass
class CorralScheduler:
    """Corral's admin."""

    admin: QueueAdmin

    async def upsert(self, step: Upsert) -> None:
        """Make or change a schedule."""
        options = corral_options(step.options)
        await self.admin.schedules.upsert(
            step.schedule, corral_rule(step.rule), step.name, step.data, **cast("RunOptions", options)
        )

    async def remove(self, schedule: str) -> None:
        """Remove a schedule."""
        await self.admin.schedules.remove(schedule)


def corral_rule(rule: dict[str, Any]) -> Repeat:
    """Turn BullMQ's rule into Corral's."""
    bounds: dict[str, Any] = {
        "start": instant(rule["startDate"]) if "startDate" in rule else None,
        "end": instant(rule["endDate"]) if "endDate" in rule else None,
        "limit": rule.get("limit"),
        "immediately": rule.get("immediately", False),
    }
    if "pattern" in rule:
        return Cron(rule["pattern"], tz=rule["tz"], **bounds)
    offset = rule["offset"] / 1000 if "offset" in rule else None
    return Every(rule["every"] / 1000, offset=offset, **bounds)


class Iterations:
    """Ids of iterations: they follow from the test's clock, so that both sides have the same."""

    def __contains__(self, job_id: object) -> bool:
        """Say whether it is one."""
        return isinstance(job_id, str) and job_id.startswith("repeat:")


@dataclass
class Pending:
    """A schedule as it is stored, and its pending iteration: in which place, when it is due, whether it has begun."""

    stored: dict[str, str]
    place: str
    is_paused: bool
    due: int
    has_begun: bool

    @property
    def is_retried(self) -> bool:
        """Whether it waits for its next attempt."""
        return self.has_begun and self.place != ""

    def parts_at(self, step: Upsert, now: int) -> bool:
        """Say whether both upsert this differently."""
        rule = step.rule
        same = all(
            self.stored.get(name) == (str(rule[name]) if name in rule else None)
            for name in ("every", "pattern", "tz", "startDate")
        )
        if not self.place:
            return same and "limit" in rule and not self.has_begun
        template = (self.stored.get("name"), json.loads(self.stored.get("data", "{}")))
        return (
            self.is_retried
            or (self.is_paused and self.place == "wait")
            or (same and template == (step.name, {} if step.data is None else step.data))
            or (same and "limit" in rule)
            or (same and "immediately" in rule)
            or (same and "pattern" in rule and corral_rule(rule).next_run(now) != self.due)
            or (not same and "every" in rule and "offset" not in rule)
        )


@dataclass
class ScheduledPlayer:
    """A player with schedules, and a clock. `leaves_out`: not to do what both do differently on purpose."""

    operated: OperatedPlayer
    scheduler: Scheduler
    keeper: Keeper
    time: OwnTime
    leaves_out: bool = True
    refused: list[Upsert] = field(default_factory=list)

    @property
    def player(self) -> Player:
        """Who takes the steps of producers and workers."""
        return self.operated.player

    async def play(self, step: Step) -> None:
        """Take a step."""
        await self.time.begin(self.player, step)
        if self.leaves_out and await self._makes_apart(step):
            return
        match step:
            case Pass() | PassUntilDue():
                pass
            case Upsert():
                await self._upsert(step)
            case RemoveSchedule(schedule):
                await self.scheduler.remove(schedule)
            case Drain(delayed):
                await self.keeper.drain(delayed)
            case Clean():
                await self.keeper.clean(step)
            case _:
                await self.operated.play(step)

    async def _makes_apart(self, step: Step) -> bool:
        """Say whether this is one of the things that both do differently: see `intended_schedules.py`."""
        match step:
            case Upsert(schedule):
                return (await self._pending(schedule)).parts_at(step, self.time.now)
            case RemoveSchedule(schedule):
                pending = await self._pending(schedule)
                return pending.is_retried or pending.place in ("wait", "prioritized")
            case Drain() | Clean():
                return "wait" in [(await self._pending(schedule)).place for schedule in SCHEDULES]
        return False

    async def _upsert(self, step: Upsert) -> None:
        try:
            await self.scheduler.upsert(step)
        except (NodeError, InvalidSchedule):
            self.refused.append(step)

    async def _pending(self, schedule: str) -> Pending:
        """What there is of a schedule."""
        raw, key = self.player.raw, self.player.key
        due = await raw.zscore(key("repeat"), schedule)
        job_id = f"repeat:{schedule}:{due or 0:.0f}"
        place = ""
        if job_id in await raw.lrange(key("wait"), 0, -1):
            place = "wait"
        for name in ("delayed", "prioritized"):
            if await raw.zscore(key(name), job_id) is not None:
                place = name
        stored = await raw.hgetall(key(f"repeat:{schedule}"))
        is_paused = await raw.hexists(key("meta"), "paused")
        has_begun = await raw.hexists(key(job_id), "ats")
        return Pending(stored, place, bool(is_paused), int(due or 0), bool(has_begun))

    async def left(self) -> Snapshot:
        """All keys, with the events of each job on their own: BullMQ makes the next iteration after it has started
        one, Corral before that, in the same step."""
        side = self.player.side
        found = await snapshot(self.player.raw, side.prefix, side.queue, Iterations(), timed=True)
        return {**events_by_job(without_empty_cleans(found)), "refused": self.refused}
