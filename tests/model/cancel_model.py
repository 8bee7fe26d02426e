"""Cancelling as it should be: a job that waits ends at once, the run of one that is held ends no other way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from corral.engine.record import Refusal, Verb
from tests.model.calls import End, Run
from tests.model.family_model import FamilyModel

FINISHED_BEFORE = -3
ENDLESS = 1 << 30


class CancelModel(FamilyModel):
    """A queue whose jobs may be cancelled. A job carries its reason to its end."""

    def cancel(self, wire_id: str, reason: str) -> int:
        """1 it has ended, 0 it is held by a worker and marked, or why it may not."""
        if wire_id not in self.jobs:
            return Refusal.NO_JOB
        if wire_id in self.completed or wire_id in self.failed:
            return FINISHED_BEFORE
        job = self.jobs[wire_id]
        if wire_id not in self.active and "ats" not in job and self.is_scheduled(wire_id):
            return Refusal.SCHEDULED
        self.begin()
        self.mark(wire_id, reason)
        if wire_id in self.active:
            return 0
        places: dict[str, Any] = {
            "delayed": self.delayed, "waiting-children": self.waiting_children,
            "prioritized": self.prioritized, "waiting": self.wait,
        }  # fmt: skip
        previous, place = next((name, place) for name, place in places.items() if wire_id in place)
        place.remove(wire_id) if isinstance(place, list) else place.pop(wire_id)
        end = End(Run(wire_id, "", ""), Verb.FAIL, str(job["defa"]), ENDLESS, traces=10)
        job["corral.failure"] = "cancelled"
        job.setdefault("atm", "0")
        self.end_now(end, job["defa"], previous)
        return 1

    def mark(self, wire_id: str, reason: str) -> None:
        """What was said first stays."""
        job = self.jobs[wire_id]
        if "corral.failure" not in job:
            job |= {"defa": reason, "corral.failure": "cancelled"}

    def is_cancelled(self, wire_id: str) -> bool:
        """Whether a job that has not ended is to end as cancelled."""
        job = self.jobs.get(wire_id, {})
        return "corral.failure" in job and "finishedOn" not in job

    def overruled(self, end: End) -> End:
        """What is stored of the end of a run."""
        if not self.is_cancelled(end.run.wire_id):
            return end
        reason = str(self.jobs[end.run.wire_id]["defa"])
        return replace(end, verb=Verb.FAIL, text=reason, amount=ENDLESS, keep=-1, age=-1, traces=10)

    def end_now(self, end: End, trace: str, previous: str) -> None:
        """The job fails, in the call that cancels it."""
        raise NotImplementedError
