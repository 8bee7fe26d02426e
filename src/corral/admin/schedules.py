"""The schedules of one queue, as its operator sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar, Unpack, overload

from corral.contracts.arguments import whole
from corral.contracts.duration import instant
from corral.contracts.names import check_schedule_id
from corral.contracts.options import RunOptions
from corral.contracts.schedule import Cron, Every, Repeat
from corral.contracts.schedule_snapshot import Schedule
from corral.contracts.spec import TaskSpec, untyped_spec
from corral.contracts.task import Task
from corral.engine.recur import list_schedules, read_schedule, remove_schedule
from corral.engine.recur_rules import snapshot, store_schedule
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["SchedulesAdmin"]

P = TypeVar("P")

MOST_PREVIEWED = 1000

Page = list[Schedule]
Times = list[datetime]


class SchedulesAdmin:
    """Makes, changes, lists and removes schedules (BullMQ: job schedulers). Made by `QueueAdmin.schedules`.

    Every verb raises `ServerUnavailable` when it finds no answer in time.
    """

    def __init__(self, server: Server, queue: str) -> None:
        self._server = server
        self._keys = server.keys(queue)
        self.queue = queue

    def __repr__(self) -> str:
        return f"<SchedulesAdmin {self.queue}>"

    @overload
    async def upsert(
        self,
        schedule_id: str,
        rule: Repeat,
        task: Task[P, Any] | TaskSpec[P, Any],
        payload: P,
        /,
        **options: Unpack[RunOptions],
    ) -> Schedule: ...
    @overload
    async def upsert(
        self, schedule_id: str, rule: Repeat, name: str, data: Any = None, /, **options: Unpack[RunOptions]
    ) -> Schedule: ...
    async def upsert(
        self,
        schedule_id: str,
        rule: Repeat,
        task: Task[Any, Any] | TaskSpec[Any, Any] | str,
        payload: Any = None,
        /,
        **options: Unpack[RunOptions],
    ) -> Schedule:
        """Make a schedule, or change it; the schedule as it is then (BullMQ: upsertJobScheduler).

        Its one pending job is replaced; where pattern, zone, interval and start stay as they are, it keeps its time.
        Saying the same again changes nothing.

        Args:
            schedule_id: 1 to 200 bytes; each queue has its own.
            rule: `Cron(…)` or `Every(…)`.
            task: whose jobs to make; or the name that jobs carry, for tasks of other programs.
            payload: of its jobs: validated now, for a task. With a name any JSON value; None is stored as `{}`.
            options: of its jobs, as for `enqueue`.

        Raises:
            InvalidSchedule: the id cannot be, or no run is left.
            InvalidPayload, PayloadTooLarge, InvalidOption: as for `enqueue`.
            ScheduleTaken: the job of the next run exists already.
            QueueFull: the server has reached maxmemory; nothing was changed.
        """
        if isinstance(task, Task | TaskSpec):
            spec = task.spec if isinstance(task, Task) else task
            if spec.queue != self.queue:
                raise InvalidOption("task", task, f"its queue is {spec.queue!r}, and this is {self.queue!r}")
        else:
            spec = untyped_spec(self.queue, task)
            payload = {} if payload is None else payload
        given: dict[str, Any] = {**options}
        for option in {"repeat", "job_id"}.intersection(given):
            reason = "the rule and the id of a schedule are given by position"
            raise InvalidOption(option, given[option], reason)
        given |= {"repeat": rule, "job_id": schedule_id}
        await store_schedule(self._server, self._keys, spec.schedule(payload, given))
        _, stored = await read_schedule(self._server, self._keys, schedule_id)
        if stored is None:  # removed by somebody in this very moment: make it once more
            return await self.upsert(schedule_id, rule, task, payload, **options)
        return snapshot(self.queue, stored)

    async def get(self, schedule_id: str) -> Schedule | None:
        """One schedule, or None (BullMQ: getJobScheduler)."""
        _, stored = await read_schedule(self._server, self._keys, check_schedule_id(schedule_id))
        return None if stored is None else snapshot(self.queue, stored)

    async def list(self, *, start: int = 0, limit: int = 20) -> Page:
        """A page of the schedules, at most 100, the next to run first (BullMQ: getJobSchedulers).

        Those that have ended stand before them, until they are removed. Repeatable jobs of BullMQ before 5.16 are left
        out.
        """
        whole("start", start)
        page = await list_schedules(self._server, self._keys, start=start, limit=whole("limit", limit))
        return [snapshot(self.queue, stored) for stored in page.schedules]

    async def count(self) -> int:
        """How many schedules there are (BullMQ: getJobSchedulersCount)."""
        return (await list_schedules(self._server, self._keys, limit=0)).total

    async def remove(self, schedule_id: str) -> bool:
        """Remove a schedule and its pending job. False when there is none. A job of it that runs goes on (BullMQ:
        removeJobScheduler)."""
        return await remove_schedule(self._server, self._keys, check_schedule_id(schedule_id))

    async def preview(self, schedule: str | Repeat, count: int = 10) -> Times:
        """The next runs, in UTC: of a schedule by its id, or of a rule if it were made now. Fewer than `count` when it
        ends. Raises `InvalidOption` when there is no such schedule."""
        wanted = min(whole("count", count), MOST_PREVIEWED)
        if isinstance(schedule, str):
            found = await self.get(schedule)
            if found is None:
                raise InvalidOption(
                    "schedule", schedule, 'there is none with this id; for a pattern give Cron("…")'
                )
            return found.upcoming(wanted)
        if not isinstance(schedule, Cron | Every):
            raise InvalidOption("schedule", schedule, 'give the id of one, Cron("…") or Every(…)')
        now = (await list_schedules(self._server, self._keys, limit=0)).now
        wanted = min(wanted, schedule.limit or wanted)
        return [instant(run) for run in schedule.first_runs(wanted, now)]
