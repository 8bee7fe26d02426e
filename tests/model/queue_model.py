"""A queue as it should be, in plain Python: what every call answers and leaves behind.

Written from the wire format, not from the scripts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from corral.engine.record import OVERRULED, Refusal
from tests.model.calls import End, Run, Wanted, fence_of
from tests.model.cancel_model import CancelModel
from tests.model.queue_state import HELD_OFF, PLACES, rank

ENDLESS = 1 << 30
TOO_OFTEN = "job stalled more than allowable limit"


class QueueModel(CancelModel):
    """A queue with its calls."""

    # --- enqueue ----------------------------------------------------------------------------------------

    def add(self, wanted: Sequence[Wanted]) -> list[Any]:
        """Add jobs: 0 each, 1 where the id exists, or the owner of the deduplication id."""
        self.begin()
        self.meta |= {"opts.maxLenEvents": "10000", "version": "corral"}
        self.added += len(wanted)
        return [self._add_one(job) for job in wanted]

    def _add_one(self, job: Wanted) -> Any:
        if job.own_id and job.wire_id in self.jobs:
            self.say("duplicated", jobId=job.wire_id)
            return 1
        if job.window:
            owner = self._deduplicate(job)
            if owner is not None:
                return owner.encode()
        self.store(job.wire_id, job.delay, job.priority, deid=job.window)
        if job.delay:
            self.delay(job.wire_id, job.delay)
        else:
            self.ready(job.wire_id, front=job.lifo)
            self.say("waiting", jobId=job.wire_id)
        return 0

    def _deduplicate(self, job: Wanted) -> str | None:
        owner = self.owners.get(job.window)
        if owner is None:
            self._own(job)
            return None
        if job.mode == "replace" and owner in self.delayed:
            del self.delayed[owner]
            self.forget(owner)
            self.kept.pop(job.window, None)
            self.say("removed", jobId=owner, prev="delayed")
            self.say("deduplicated", jobId=job.wire_id, deduplicationId=job.window, deduplicatedJobId=owner)
            self._own(job)
            return None
        if job.mode == "keep" and owner in self.active:
            self.kept[job.window] = {
                "name": "n",
                "data": f'"{job.wire_id}"',
                "opts": {},
                "jid": job.wire_id,
            }
            self.endless.add(job.window)
        elif job.mode == "replace":
            return owner
        self.say("deduplicated", jobId=owner, deduplicationId=job.window, deduplicatedJobId=job.wire_id)
        return owner

    def _own(self, job: Wanted) -> None:
        self.owners[job.window] = job.wire_id
        self.endless.discard(job.window)
        if job.mode != "ttl":
            self.endless.add(job.window)

    # --- claim ------------------------------------------------------------------------------------------

    def claim(self, token: str, wanted: int) -> list[Run]:
        """Start up to `wanted` jobs, in a call of its own; the baton is passed on."""
        self.begin()
        runs = self._claim(token, wanted)
        if len(runs) == wanted:
            self.pass_baton()
        return runs

    def _claim(self, token: str, wanted: int) -> list[Run]:
        """What is ready is taken out in one go, and then started one by one: what becomes ready meanwhile waits."""
        self._promote()
        runs: list[Run] = []
        if self.is_limited() or self.is_paused:
            return []
        while asked := min(wanted - len(runs), self._room()):
            taken = [self._next() for _ in range(min(asked, len(self.wait) + len(self.prioritized)))]
            self.active[:0] = reversed(taken)
            for wire_id in taken:
                runs.append(self._start(wire_id, token))
                if self.rate and "defa" not in self.jobs[wire_id]:
                    self.started += 1
            if len(taken) < asked:
                self.arrivals = 0
                break
        return runs

    def _room(self) -> int:
        left = self.rate - self.started if self.rate else ENDLESS
        return 0 if self.is_limited() else max(0, min(left, (self.concurrency or ENDLESS) - len(self.active)))

    def _promote(self) -> None:
        due = [wire_id for wire_id, score in rank(self.delayed) if score // PLACES <= self.now]
        for wire_id in due:
            del self.delayed[wire_id]
            self.ready(wire_id)
            self.jobs[wire_id]["delay"] = "0"
            self.say("waiting", jobId=wire_id, prev="delayed")

    def _next(self) -> str:
        if self.wait:
            return self.wait.pop()
        wire_id, _ = rank(self.prioritized)[0]
        del self.prioritized[wire_id]
        return wire_id

    def _start(self, wire_id: str, token: str) -> Run:
        self.begin_iteration(wire_id)
        job = self.jobs[wire_id]
        job["ats"] = str(int(job.get("ats", 0)) + 1)
        job["processedOn"] = str(self.now)
        self.locks[wire_id] = token
        self.say("active", jobId=wire_id, prev="waiting")
        return Run(wire_id, token, fence_of(job))

    # --- settle -----------------------------------------------------------------------------------------

    def commit(self, ends: Sequence[End], token: str, wanted: int) -> tuple[list[int], list[Run]]:
        """Settle, then claim."""
        self.begin()
        holders = dict(self.locks)  # as they were when the call began
        swept_last = len(ends) >= 4 and len(self.active) <= 8 * len(ends)
        codes = [self._settle(end, holders, swept_last) for end in ends]
        self.unswept = 0
        self._file()
        runs = self._claim(token, wanted) if wanted else []
        if len(runs) == wanted:
            self.pass_baton()
        ended = any(
            code == OVERRULED or (code == 0 and end.verb in "cf")
            for code, end in zip(codes, ends, strict=True)
        )
        left = self.active or self.wait or self.prioritized
        if ended and not (runs or left or (wanted and (self.delayed or self.is_paused or self.is_limited()))):
            self.say("drained")
        return codes, runs

    def refusal(self, run: Run, holders: Mapping[str, str]) -> int:
        """Why a run may not write to its job, 0 when it may."""
        job = self.jobs.get(run.wire_id)
        if job is None:
            return Refusal.NO_JOB
        if holders.get(run.wire_id, run.token) != run.token:
            return Refusal.HELD_BY_ANOTHER
        return 0 if fence_of(job) == run.fence else Refusal.SUPERSEDED

    def _settle(self, end: End, holders: Mapping[str, str], swept_last: bool) -> int:
        wire_id = end.run.wire_id
        code = self.refusal(end.run, holders)
        said, end = end, self.overruled(end) if code == 0 else end
        if code == 0 and end.verb in "ck":
            code = self.refusal_to_complete(wire_id) if end.verb == "c" else self.refusal_to_wait(wire_id)
        if code == 0 and wire_id not in self.active:
            code = Refusal.NOT_ACTIVE
        if code:
            return code
        self.active.remove(wire_id)
        self.unswept += swept_last
        self.locks.pop(wire_id, None)
        self.suspects.discard(wire_id)
        if end.verb in "frd":
            self._note(end, f"at {said.text}")
        if end.verb in "cfrd":
            job = self.jobs[wire_id]
            job["atm"] = str(int(job.get("atm", 0)) + 1)
        if end.verb in "cf":
            self._finish(end)
        elif end.verb in "dsu":
            delay = max(0, end.amount - self.now) if end.verb == "u" else end.amount
            self.jobs[wire_id]["delay"] = str(delay)
            self.delay(wire_id, delay)
        elif end.verb != "k" or not self.wait_for_children(wire_id):
            self.ready(wire_id, front=end.verb in "wlk" or end.amount == 1)
            self.say("waiting", jobId=wire_id, prev="active")
            if end.verb == "l" and end.amount:
                self.started = HELD_OFF
        return 0 if (end.verb, end.text) == (said.verb, said.text) else OVERRULED

    def _note(self, end: End, trace: str) -> None:
        job = self.jobs[end.run.wire_id]
        job["failedReason"] = end.text
        traces = [*job.get("stacktrace", []), trace][-end.traces :] if end.traces else []
        job["stacktrace"] = traces

    def end_now(self, end: End, trace: str, previous: str) -> None:
        """The job fails, in the call that cancels it."""
        self._note(end, trace)
        self._finish(end, previous)
        self._file()

    def _finish(self, end: End, previous: str = "active") -> None:
        wire_id = end.run.wire_id
        job = self.jobs[wire_id]
        self._end_window(wire_id, job.get("deid", ""))
        self.tell_parent(wire_id, end.verb, end.text)
        if end.keep == 0:
            self.unlink(wire_id)
        if end.verb == "c":
            job["returnvalue"] = end.text
            self.say("completed", jobId=wire_id, returnvalue=end.text, prev="active")
        else:
            job.pop("defa", None)
            self.say("failed", jobId=wire_id, failedReason=end.text, prev=previous)
            if int(job["atm"]) >= end.amount:
                self.say("retries-exhausted", jobId=wire_id, attemptsMade=job["atm"])
        job["finishedOn"] = str(self.now)
        if end.keep == 0:
            self.forget(wire_id)
            return
        policy = (end.verb, end.keep, end.age)
        if policy != self.policy:
            self._file()
        self.policy = policy
        self.unfiled.append(wire_id)

    def _file(self) -> None:
        """Runs of one kind and retention that follow each other in a call are filed together, then trimmed."""
        verb, keep, age = self.policy
        ids, self.unfiled = self.unfiled, []
        if not ids:
            return
        finished = self.completed if verb == "c" else self.failed
        finished.update(dict.fromkeys(ids, self.now))
        order = rank(finished)
        old = [wire_id for wire_id, at in order if age >= 0 and at <= self.now - age * 1000]
        left = [wire_id for wire_id, _ in order if wire_id not in old]
        excess = left[: max(0, len(left) - keep)] if keep > 0 else []
        for trimmed in (old, excess):
            for wire_id in trimmed:
                self.unlink(wire_id)
            for wire_id in trimmed:
                del finished[wire_id]
                self.forget(wire_id)

    def _end_window(self, wire_id: str, window: str) -> None:
        if not window:
            return
        if self.owners.get(window) == wire_id and window in self.endless:
            del self.owners[window]
            self.endless.discard(window)
        later = self.kept.pop(window, None)
        if later:
            self.added += 1
            if later["jid"] in self.jobs:
                self.say("duplicated", jobId=later["jid"])
                return
            self.owners[window] = later["jid"]
            self.endless.add(window)
            self.store(later["jid"], 0, 0, deid=window)
            self.ready(later["jid"])
            self.say("waiting", jobId=later["jid"])

    # --- recover, report, control -----------------------------------------------------------------------

    def renew(self, run: Run) -> int:
        """1 renewed, 2 taken again, 0 lost."""
        holder = self.locks.get(run.wire_id)
        if holder == run.token:
            self.suspects.discard(run.wire_id)
            return 1
        if holder is None and run.wire_id in self.active and self.refusal(run, self.locks) == 0:
            self.locks[run.wire_id] = run.token
            self.suspects.discard(run.wire_id)
            return 2
        return 0

    def hold_again(self, runs: Sequence[Run]) -> list[Run]:
        """Of the runs that a call started, those that it still holds or can take again when it is sent again."""
        held = [run for run in runs if run.fence == fence_of(self.jobs.get(run.wire_id, {}))]
        return [run for run in held if self.locks.get(run.wire_id) == run.token or self.renew(run) == 2]

    def check_stalled(self, order: Sequence[str], max_stalled: int) -> list[tuple[str, int]]:
        """Return those suspected at the last check that have no lock; suspect all that run now."""
        self.begin()
        returned = []
        for wire_id in order:
            if wire_id in self.locks or wire_id not in self.active:
                continue
            self.active.remove(wire_id)
            job = self.jobs[wire_id]
            stalls = int(job.get("stc", 0)) + 1
            job["stc"] = str(stalls)
            if stalls > max_stalled and not self.is_cancelled(wire_id):
                job["defa"] = TOO_OFTEN
            self.ready(wire_id, front=True)
            self.say("waiting", jobId=wire_id, prev="active")
            self.say("stalled", jobId=wire_id)
            returned.append((wire_id, stalls))
        if returned:
            self.pass_baton()
        self.suspects = set(self.active)
        return returned

    def report_refusal(self, run: Run) -> int:
        """Why a run may not report, 0 when it may: without its lock only while its job is active."""
        goes_on = run.wire_id in self.locks or run.wire_id in self.active
        return self.refusal(run, self.locks) or (0 if goes_on else Refusal.SUPERSEDED)

    def remove(self, wire_id: str) -> int:
        """Remove a job that nobody holds."""
        if wire_id not in self.jobs:
            return Refusal.NO_JOB
        if wire_id in self.locks:
            return 0
        if self.is_scheduled(wire_id):
            return Refusal.SCHEDULED
        previous = "unknown"
        places: dict[str, Any] = {
            "completed": self.completed, "delayed": self.delayed, "failed": self.failed,
            "waiting-children": self.waiting_children, "prioritized": self.prioritized,
            "wait": self.wait, "active": self.active,
        }  # fmt: skip
        for name, place in places.items():
            if wire_id in place:
                previous = name
                place.remove(wire_id) if isinstance(place, list) else place.pop(wire_id)
        self.unlink(wire_id)
        window = self.jobs[wire_id].get("deid")
        if window and self.owners.get(window) == wire_id:
            del self.owners[window]
            self.endless.discard(window)
            self.kept.pop(window, None)
        self.forget(wire_id)
        self.say("removed", jobId=wire_id, prev=previous)
        if previous == "active":
            self.pass_baton()
        return 1

    def set_paused(self, paused: bool) -> None:
        """BullMQ 6 pauses or resumes: tokens go, or come back for what is there."""
        self.is_paused = paused
        self.meta.pop("paused", None)
        if paused:
            self.meta["paused"] = "1"
            self.marker.clear()
        elif self.wait or self.prioritized:
            self.pass_baton()
        elif self.delayed:
            self.marker["1"] = min(self.delayed.values()) // PLACES

    def set_concurrency(self, most: int | None) -> None:
        """How many may run at once, for the whole queue. Somebody is woken, should there be more room now."""
        self.concurrency = most
        self.meta.pop("concurrency", None)
        if most:
            self.meta["concurrency"] = str(most)
        self.pass_baton()

    def set_rate(self, most: int | None, duration: int) -> None:
        """How many may start in a window. Somebody is woken, should more be allowed now."""
        self.rate = most
        self.meta.pop("max", None)
        self.meta.pop("duration", None)
        if most:
            self.meta |= {"max": str(most), "duration": str(duration)}
        self.pass_baton()
