"""How each engine takes the steps of schedules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, cast

from corral.admin.queue import QueueAdmin
from corral.contracts.duration import instant
from corral.contracts.options import RunOptions
from corral.contracts.schedule import Cron, Every, Repeat
from tests.interop.bullmq import NodeQueue
from tests.interop.corral_side import corral_options
from tests.interop.schedule_steps import Drain, RemoveSchedule, Step, Upsert
from tests.interop.sides import Player
from tests.interop.snapshot import Snapshot, snapshot
from tests.interop.timed import OwnTime


class Scheduler(Protocol):
    """Who makes schedules, and takes them away."""

    async def upsert(self, step: Upsert) -> None: ...
    async def remove(self, schedule: str) -> None: ...
    async def drain(self, delayed: bool) -> None: ...


@dataclass
class NodeScheduler:
    """BullMQ's Queue."""

    bull: NodeQueue

    async def upsert(self, step: Upsert) -> None:
        """Queue.upsertJobScheduler."""
        template = {"name": step.name, "opts": step.options}
        if step.data is not None:
            template["data"] = step.data
        await self.bull.call("upsertJobScheduler", scheduler=step.schedule, repeat=step.rule, template=template)

    async def remove(self, schedule: str) -> None:
        """Queue.removeJobScheduler."""
        await self.bull.call("removeJobScheduler", scheduler=schedule)

    async def drain(self, delayed: bool) -> None:
        """Queue.drain."""
        await self.bull.call("drain", delayed=delayed)


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

    async def drain(self, delayed: bool) -> None:
        """Drain the queue."""
        await self.admin.drain(delayed=delayed)


def corral_rule(rule: dict[str, Any]) -> Repeat:
    """Turn BullMQ's rule into Corral's."""
    bounds: dict[str, Any] = {
        "start": instant(rule["startDate"]) if "startDate" in rule else None,
        "end": instant(rule["endDate"]) if "endDate" in rule else None,
        "limit": rule.get("limit"),
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
class ScheduledPlayer:
    """A player with schedules, and a clock."""

    player: Player
    scheduler: Scheduler
    time: OwnTime

    async def play(self, step: Step) -> None:
        """Take a step."""
        if await self.time.begin(self.player, step):
            return
        match step:
            case Upsert():
                await self.scheduler.upsert(step)
            case RemoveSchedule(schedule):
                await self.scheduler.remove(schedule)
            case Drain(delayed):
                await self.scheduler.drain(delayed)
            case _:
                await self.player.play([step])

    async def left(self) -> Snapshot:
        """All keys, with the events of each job on their own: BullMQ makes the next iteration after it has started
        one, Corral before that, in the same step."""
        player = self.player
        found = await snapshot(player.raw, player.side.prefix, player.side.queue, Iterations(), timed=True)
        told = found["events"]["content"]
        found["events"]["content"] = {
            name: [event for event in told if event.get("jobId", "") == name]
            for name in {event.get("jobId", "") for event in told}
        }
        return found
