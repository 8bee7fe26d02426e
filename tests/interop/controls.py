"""What an operator may do, as steps that both engines can take, and how each of them takes them.

As in `operations.py` a step names its job by state and position.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from typing import Any, Protocol

from corral.admin.jobs import JobsAdmin
from tests.interop.bullmq import NodeQueue
from tests.interop.operations import GIVEN_IDS, MINUTE, Operation, draw
from tests.interop.sides import Player
from tests.interop.snapshot import Snapshot, snapshot

STATES = ("wait", "active", "delayed", "prioritized", "completed", "failed")


@dataclass(frozen=True)
class Control:
    """An operator's verb for the job at a position of a state, with its argument."""

    verb: str
    state: str
    position: int = 0
    value: Any = None


@dataclass(frozen=True)
class ControlAll:
    """An operator's verb for all jobs of a state."""

    verb: str
    state: str


Step = Operation | Control | ControlAll


class Operator(Protocol):
    """Who carries the verbs out."""

    async def control(self, step: Control, job_id: str) -> None: ...
    async def control_all(self, step: ControlAll) -> None: ...


@dataclass
class NodeOperator:
    """BullMQ's Queue and Job."""

    bull: NodeQueue

    async def control(self, step: Control, job_id: str) -> None:
        """One verb of Job."""
        call, value = self.bull.call, step.value
        match step.verb:
            case "retry":
                await call("retry", jobId=job_id, state=step.state)
            case "promote":
                await call("promote", jobId=job_id)
            case "priority":
                await call("changePriority", jobId=job_id, opts={"priority": value[0], "lifo": value[1]})
            case "delay":
                await call("changeDelay", jobId=job_id, delay=value)
            case "data":
                await call("updateData", jobId=job_id, data=value)
            case "log":
                await call("log", jobId=job_id, row=value)
            case "clear":
                await call("clearLogs", jobId=job_id, keep=value)
            case _:
                raise AssertionError(step)

    async def control_all(self, step: ControlAll) -> None:
        """One verb of Queue."""
        if step.verb == "promote":
            await self.bull.call("promoteJobs")
        else:
            await self.bull.call("retryJobs", opts={"state": step.state})


@dataclass
class CorralOperator:
    """Corral's admin."""

    jobs: JobsAdmin

    async def control(self, step: Control, job_id: str) -> None:
        """One verb for a job."""
        jobs, value = self.jobs, step.value
        match step.verb:
            case "retry":
                await jobs.retry(job_id)
            case "promote":
                await jobs.promote(job_id)
            case "priority":
                await jobs.set_priority(job_id, value[0], lifo=value[1])
            case "delay":
                await jobs.set_delay(job_id, value / 1000)
            case "data":
                await jobs.set_data(job_id, value)
            case "log":
                await jobs.add_log(job_id, value)
            case "clear":
                await jobs.clear_logs(job_id, keep=value)
            case _:
                raise AssertionError(step)

    async def control_all(self, step: ControlAll) -> None:
        """One verb for all jobs of a state."""
        if step.verb == "promote":
            await self.jobs.promote_all()
        else:
            await self.jobs.retry_all(step.state)


@dataclass
class OperatedPlayer:
    """A player with an operator beside it."""

    player: Player
    operator: Operator

    async def play(self, step: Step) -> None:
        """Take a step; one about a job where there is none is left out."""
        match step:
            case Control():
                members = await self._members(step.state)
                if members:
                    await self.operator.control(step, members[step.position % len(members)])
            case ControlAll():
                await self.operator.control_all(step)
            case _:
                await self.player.play([step])

    async def left(self) -> Snapshot:
        """What it has left behind so far."""
        side = self.player.side
        return await snapshot(self.player.raw, side.prefix, side.queue, GIVEN_IDS)

    async def _members(self, state: str) -> list[str]:
        raw, key = self.player.raw, self.player.key(state)
        found = await (raw.lrange(key, 0, -1) if state in ("wait", "active") else raw.zrange(key, 0, -1))
        return [str(member) for member in found]


def draw_controls(seed: int, length: int, *, together: bool) -> list[Step]:
    """Steps of producers and workers with an operator's among them. `together` has verbs for all jobs of a state, and
    no priorities, which BullMQ's ignore."""
    dice = random.Random(f"controls {seed}")
    steps: list[Step] = []
    for operation in draw(seed, length, priorities=not together):
        steps.append(operation)
        if dice.random() < 0.4:
            steps.append(_control(dice, together))
    return steps


def _control(dice: random.Random, together: bool) -> Control | ControlAll:
    state, position = dice.choice(STATES), dice.randrange(8)
    if together and dice.random() < 0.2:
        return dice.choice(
            (
                ControlAll("retry", "failed"),
                ControlAll("retry", "completed"),
                ControlAll("promote", "delayed"),
            )
        )
    priority = (0 if together else dice.choice((0, 1, 2, 2_097_151)), dice.random() < 0.3)
    return dice.choice(
        (
            Control("retry", dice.choice(("completed", "failed")), position),
            Control("retry", "failed", position),
            Control("promote", "delayed", position),
            Control("delay", "delayed", position, dice.choice((5, 50)) * MINUTE),
            Control("priority", state, position, priority),
            Control("data", state, position, json.loads(dice.choice(('{"new":1}', '"text"', "[]")))),
            Control("log", state, position, f"row {position}"),
            Control("clear", state, position, dice.choice((0, 1))),
        )
    )
