"""Schedules as they should be: exactly one iteration of each is pending, and starting it makes the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from corral.engine.record import Refusal
from tests.model.queue_state import QueueState

MOST_STEPS = 32


@dataclass
class ScheduleState:
    """An interval, when its pending iteration is due, and how many it has had."""

    every: int
    offset: int
    next_run: int
    made: int
    made_before: int = 0
    """It was changed since: the iterations are counted anew from there."""


class ScheduleModel(QueueState):
    """A queue with schedules."""

    def pending_id(self, schedule_id: str) -> str:
        """The job of a schedule's pending iteration."""
        return f"repeat:{schedule_id}:{self.schedules[schedule_id].next_run}"

    def upsert(self, schedule_id: str, every: int) -> tuple[str, int] | int:
        """Make a schedule or change it: id and time of its pending iteration, which stays if nothing changed."""
        self.begin()
        known = self.schedules.get(schedule_id)
        replaced = self.pending_id(schedule_id) if known else ""
        is_pending = replaced in self.jobs and "ats" not in self.jobs[replaced]
        unchanged = known is not None and known.every == every
        if known and unchanged and is_pending:
            return replaced, known.next_run
        time, count = self.now, 1
        if known and unchanged:
            time, count = self._after(known), self._next_count(replaced, known)
        time = self._free(schedule_id, time, every, replaced if is_pending else "")
        if is_pending:
            for place in (self.delayed, self.prioritized):
                place.pop(replaced, None)
            if replaced in self.wait:
                self.wait.remove(replaced)
            self.forget(replaced)
        self.meta |= {"opts.maxLenEvents": "10000", "version": "corral"}
        offset = known.offset if known and unchanged else time % every
        made = known.made if known else 1
        self.schedules[schedule_id] = ScheduleState(every, offset, time, made, made - count)
        self._make(schedule_id, time, count)
        return self.pending_id(schedule_id), time

    def unschedule(self, schedule_id: str) -> bool:
        """Remove a schedule and its pending iteration; a run of it goes on."""
        if schedule_id not in self.schedules:
            return False
        wire_id = self.pending_id(schedule_id)
        places: dict[str, Any] = {
            "delayed": self.delayed, "prioritized": self.prioritized, "waiting": self.wait,
        }  # fmt: skip
        for name, place in places.items():
            if wire_id in place:
                place.remove(wire_id) if isinstance(place, list) else place.pop(wire_id)
                self.forget(wire_id)
                self.say("removed", jobId=wire_id, prev=name)
        del self.schedules[schedule_id]
        return True

    def begin_iteration(self, wire_id: str) -> None:
        """The pending iteration starts: the next one is pending from here on."""
        job = self.jobs[wire_id]
        schedule_id = job.get("rjk", "")
        if schedule_id in self.schedules and self.pending_id(schedule_id) == wire_id:
            schedule = self.schedules[schedule_id]
            time = self._free(schedule_id, self._after(schedule), schedule.every)
            schedule.next_run = time
            schedule.made += 1
            self._make(schedule_id, time, job["opts"]["repeat"]["count"] + 1)

    def is_scheduled(self, wire_id: str) -> bool:
        """Whether a job is the pending iteration of a schedule."""
        schedule_id = self.jobs[wire_id].get("rjk", "")
        return schedule_id in self.schedules and self.pending_id(schedule_id) == wire_id

    def refusal_to_remove(self, wire_id: str) -> int:
        """A pending iteration is removed with its schedule only."""
        return Refusal.SCHEDULED if self.is_scheduled(wire_id) else 0

    def heal(self, schedule_id: str) -> None:
        """A pending iteration that was lost from its place is put back there; if its job was lost, it is made anew."""
        wire_id, schedule = self.pending_id(schedule_id), self.schedules[schedule_id]
        self.begin()
        if wire_id in self.jobs:
            self._place(wire_id, max(0, schedule.next_run - self.now))
        else:
            self._make(schedule_id, schedule.next_run, schedule.made - schedule.made_before)

    def lose_iteration(self, schedule_id: str, *, whole: bool) -> None:
        """Another program loses the pending iteration: from its place, or the job as well."""
        wire_id = self.pending_id(schedule_id)
        for place in (self.delayed, self.prioritized):
            place.pop(wire_id, None)
        if wire_id in self.wait:
            self.wait.remove(wire_id)
        if whole:
            self.forget(wire_id)

    def _next_count(self, wire_id: str, schedule: ScheduleState) -> int:
        """The number of the next iteration where the one made last is not pending."""
        made = schedule.made - schedule.made_before
        job = self.jobs.get(wire_id)
        return job["opts"]["repeat"]["count"] + 1 if job and "ats" in job else made

    def _after(self, schedule: ScheduleState) -> int:
        """The next time: one interval later, or, when that has passed, the first one of the grid after now."""
        following = schedule.next_run + schedule.every
        if following >= self.now:
            return following
        slot = self.now // schedule.every * schedule.every + schedule.offset
        return slot + schedule.every if slot <= self.now else slot

    def _free(self, schedule_id: str, time: int, every: int, replaced: str = "") -> int:
        """The first time from `time` on that no kept job has taken."""
        while (taken := f"repeat:{schedule_id}:{time}") in self.jobs and taken != replaced:
            time += every
        return time

    def _make(self, schedule_id: str, time: int, count: int) -> None:
        delay, schedule = max(0, time - self.now), self.schedules[schedule_id]
        wire_id = f"repeat:{schedule_id}:{time}"
        self.added += 1
        opts = {
            "repeat": {"count": count, "every": schedule.every},
            "repeatJobKey": schedule_id, "jobId": wire_id, "timestamp": self.now, "delay": delay,
        }  # fmt: skip
        self.store(wire_id, delay, 0, opts=opts, data="{}", rjk=schedule_id)
        self._place(wire_id, delay)

    def _place(self, wire_id: str, delay: int) -> None:
        if delay:
            self.delay(wire_id, delay)
        else:
            self.ready(wire_id)
            self.say("waiting", jobId=wire_id)
