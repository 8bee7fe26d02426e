"""Calls of producers and workers, each made on the server and in the model, and the answers compared.

Every claim that was ever handed out is kept, and any of them may speak at any later time: that is how stale workers,
frozen ones and lost replies are told, without a second thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from corral.engine.faults import ResponseError
from corral.engine.record import OVERRULED, Verb
from tests.model.bench import HOUR_MS, KEEP_LOGS, Bench, expected
from tests.model.calls import Child, End, Run, Sent, Wanted, fence_of
from tests.model.invariants import (
    check,
    check_counts,
    check_families,
    check_markers,
    check_places,
    check_runs,
    check_schedules,
)
from tests.model.queue_model import QueueModel

START = 1_800_000_000_000
MAX_STALLED = 1


class Play:
    """One queue from its first job to its last."""

    def __init__(self, bench: Bench) -> None:
        bench.begin()
        self.bench = bench
        self.model = QueueModel(START, bench.keys.base)
        self.runs: list[Run] = []
        self.calls: dict[str, list[tuple[Any, ...]]] = {}
        self.accepted: Counter[str] = Counter()
        self.lives: Counter[str] = Counter()
        self.starts: dict[str, int] = {}
        self.ids = 0
        self.is_sure = True

    def new_id(self) -> str:
        """An id for one more job."""
        self.ids += 1
        return f"j{self.ids}"

    def run(self, at: int) -> Run:
        """One of all runs there ever were, counted from the latest."""
        return self.runs[-1 - at % len(self.runs)]

    def next_number(self, sender: str) -> int:
        """The number of this sender's next call. The server is given the model's time."""
        self.bench.now = self.model.now
        self.is_sure = False
        return len(self.calls.setdefault(sender, [])) + 1

    def life(self, wire_id: str) -> str:
        """An id may be used again when its job is gone: that is another life."""
        return f"{wire_id}/{self.lives[wire_id]}"

    # --- calls that carry a number ----------------------------------------------------------------------

    def add(self, jobs: Sequence[Wanted], sender: str = "p1") -> None:
        """Add some jobs in one call."""
        number = self.next_number(sender)
        answer = self.model.add(jobs)
        self.model.sent[sender] = Sent(number, answer, [])
        self.calls[sender].append(("add", jobs))
        check(self.bench.add(jobs, sender, number), answer)

    def add_flow(
        self, parent: str, children: Sequence[Child], delay: int = 0, priority: int = 0, sender: str = "p1"
    ) -> None:
        """Add a parent and its children in one call."""
        number = self.next_number(sender)
        self.model.add_flow(parent, children, delay, priority)
        answer = [0] * (1 + len(children))
        self.model.sent[sender] = Sent(number, answer, [])
        self.calls[sender].append(("flow", parent, children, delay, priority))
        check(self.bench.add_flow(parent, children, delay, priority, sender, number), (0, -1, answer))

    def claim(self, wanted: int, sender: str = "w1") -> list[Run]:
        """Claim some jobs."""
        number = self.next_number(sender)
        token = f"{sender}:{number}"
        runs = self.model.claim(token, wanted)
        if runs:
            self.model.sent[sender] = Sent(number, [], runs)
        self.calls[sender].append(("claim", token, wanted))
        self.hold(self.bench.claim(token, wanted, sender, number).jobs, token, runs)
        return runs

    def commit(self, ends: Sequence[End], wanted: int = 0, sender: str = "w1") -> list[int]:
        """Settle and claim. What is refused changes no byte (M7); what is accepted comes from the last run (M6)."""
        number = self.next_number(sender)
        token = f"{sender}:{number}"
        lone = len(ends) == 1 and not wanted
        before = self.bench.dump() if lone else {}
        current = [fence_of(self.model.jobs.get(end.run.wire_id, {})) for end in ends]
        codes, runs = self.model.commit(ends, token, wanted)
        self.model.sent[sender] = Sent(number, codes, runs)
        self.calls[sender].append(("commit", ends, token, wanted))
        reply = self.bench.commit(ends, token, wanted, sender, number)
        check(reply.codes, codes)
        self.hold(reply.jobs, token, runs)
        if lone and codes[0] < 0:
            self.check_untouched(before)
        for code, end, fence in zip(codes, ends, current, strict=True):
            if code >= 0:
                check(fence, end.run.fence)
                self.accepted[self.life(end.run.wire_id)] += code == OVERRULED or end.verb in "cf"
        return codes

    def hold(self, jobs: Sequence[Any], token: str, runs: list[Run]) -> None:
        """What was given out is what was expected; it is kept for ever."""
        check([Run(job.wire_id.decode(), token, job.fence.decode()) for job in jobs], runs)
        for job in jobs:
            fields = self.model.jobs[job.wire_id.decode()]
            values = (job.data, job.made, job.stalls, job.deferred, job.deduplication)
            names = ("data", "atm", "stc", "defa", "deid")
            check([value and value.decode() for value in values], [fields.get(name) for name in names])
        self.runs += [run for run in runs if run not in self.runs]

    def send_again(self, sender: str, back: int) -> None:
        """A call comes a second time: its reply was lost, or the network kept a copy of it.

        The last call gives its answer again, an earlier one is refused; no byte changes, but for locks that ran out
        while nobody answered and are taken again.
        """
        number = self.next_number(sender) - 1 - back
        kept = self.model.sent.get(sender)
        if number < 1 or kept is None or number > kept.number:
            return  # a claim that got nothing left no record: sent again, it is a new call
        before, locks = self.bench.dump(), len(self.model.locks)
        if number == kept.number:
            self.repeat(sender, number, kept)
        else:
            refused = ""
            try:
                self.repeat(sender, number, kept)
            except ResponseError as error:
                refused = str(error)
            check(refused[:5], "STALE")
        if len(self.model.locks) == locks:
            check(self.bench.dump(), before)

    def repeat(self, sender: str, number: int, kept: Sent) -> None:
        """The same call, word for word."""
        kind, what, *rest = self.calls[sender][number - 1]
        if kind == "add":
            check(self.bench.add(what, sender, number), kept.answer)
        elif kind == "flow":
            children, delay, priority = rest
            again = self.bench.add_flow(what, children, delay, priority, sender, number)
            check(again, (0, -1, kept.answer))
        elif kind == "claim":
            jobs = self.bench.claim(what, rest[0], sender, number).jobs
            self.hold(jobs, what, self.model.hold_again(kept.runs))
        else:
            reply = self.bench.commit(what, rest[0], rest[1], sender, number)
            check(reply.codes, kept.answer)
            self.hold(reply.jobs, rest[0], self.model.hold_again(kept.runs))

    # --- calls that need none ---------------------------------------------------------------------------

    def renew(self, runs: Sequence[Run]) -> None:
        """Runs renew their locks, or take them again."""
        answers = [self.model.renew(run) for run in runs]
        before = self.bench.dump()
        check(self.bench.renew(runs), answers)
        if not any(answers):
            self.check_untouched(before)

    def log(self, run: Run, line: str) -> None:
        """A run writes a line to its log."""
        code = self.model.report_refusal(run)
        before = self.bench.dump() if code else {}
        if not code:
            lines = [*self.model.logs.get(run.wire_id, []), line][-KEEP_LOGS:]
            self.model.logs[run.wire_id] = lines
            code = len(lines)
        check(self.bench.log(run, line), code)
        if before:
            self.check_untouched(before)

    def progress(self, run: Run, value: int) -> None:
        """A run says how far it is."""
        code = self.model.report_refusal(run)
        before = self.bench.dump() if code else {}
        if not code:
            self.model.jobs[run.wire_id]["progress"] = str(value)
            self.model.say("progress", jobId=run.wire_id, data=value)
        check(self.bench.report(run, str(value)), code)
        if before:
            self.check_untouched(before)

    def remove(self, wire_id: str) -> None:
        """Somebody removes a job, if nobody holds it."""
        self.bench.now = self.model.now
        before = self.bench.dump()
        code = self.model.remove(wire_id)
        check(self.bench.remove(wire_id), code)
        if code != 1:
            self.check_untouched(before)

    def cancel(self, wire_id: str, reason: str) -> None:
        """Somebody cancels a job."""
        self.bench.now = self.model.now
        before = self.bench.dump()
        code = self.model.cancel(wire_id, reason)
        check(self.bench.cancel(wire_id, reason), code)
        if code == 1:
            self.accepted[self.life(wire_id)] += 1
        elif code < 0:
            self.check_untouched(before)

    def lose_lock(self, wire_id: str) -> None:
        """A lock runs out."""
        if self.model.locks.pop(wire_id, None):
            self.bench.lose(f"{wire_id}:lock")

    def lose_tokens(self) -> None:
        """Workers take all tokens and die."""
        self.model.marker.clear()
        self.bench.lose("marker")

    def check_stalled(self) -> None:
        """The stalled check."""
        self.bench.now = self.model.now
        order = self.bench.suspects()
        check(set(order), self.model.suspects)
        returned = self.model.check_stalled(order, MAX_STALLED)
        check(self.bench.check_stalled(MAX_STALLED), returned)
        self.bench.lose("stalled-check")

    def stall(self, wire_id: str) -> None:
        """A worker dies: its lock runs out, and two checks pass."""
        self.lose_lock(wire_id)
        self.check_stalled()
        self.check_stalled()

    def set_paused(self, paused: bool) -> None:
        """BullMQ 6 pauses or resumes the queue: nothing of Corral does, yet."""
        self.model.set_paused(paused)
        self.bench.set_meta("paused", self.model.meta, self.model.marker)

    def set_concurrency(self, most: int | None) -> None:
        """Somebody says how many may run at once."""
        self.model.set_concurrency(most)
        self.bench.set_concurrency(most)

    def set_rate(self, most: int | None) -> None:
        """Somebody says how many may start in a window."""
        self.model.set_rate(most, HOUR_MS)
        self.bench.set_rate(most)

    def end_window(self) -> None:
        """The window runs out, or a time in which nothing may start; who has waited for that claims."""
        limited = self.model.is_limited()
        self.model.started = 0
        self.bench.lose("limiter")
        if limited:
            self.claim(1, "w2")

    def open(self) -> None:
        """Whatever keeps jobs from starting is gone."""
        self.set_paused(False)
        self.set_concurrency(None)
        self.set_rate(None)
        self.end_window()

    # --- schedules --------------------------------------------------------------------------------------

    def upsert(self, schedule_id: str, every: int) -> None:
        """Somebody makes a schedule, or changes it."""
        self.bench.now = self.model.now
        answer = self.model.upsert(schedule_id, every)
        check(self.bench.upsert(schedule_id, every), answer)

    def unschedule(self, schedule_id: str) -> None:
        """Somebody removes a schedule."""
        answer = self.model.unschedule(schedule_id)
        check(self.bench.unschedule(schedule_id), answer)

    def lose_iteration(self, schedule_id: str, *, whole: bool) -> None:
        """Another program loses the pending iteration; the sweep finds that, and nothing else to do."""
        wire_id = self.model.pending_id(schedule_id)
        self.bench.now = self.model.now
        self.model.lose_iteration(schedule_id, whole=whole)
        self.bench.lose_from_places(wire_id)
        if whole:
            self.bench.lose(wire_id)
        self.model.heal(schedule_id)
        self.bench.sweep()

    def sweep(self) -> None:
        """A sweep that finds nothing to heal changes no byte."""
        self.bench.now = self.model.now
        before = self.bench.dump()
        self.bench.sweep()
        check(self.bench.dump(), before)

    # --- what holds -------------------------------------------------------------------------------------

    def check_untouched(self, before: dict[bytes, bytes]) -> None:
        """Nothing differs but the senders' records."""
        records, after = self.bench.keys.key("sent").encode(), self.bench.dump()
        changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
        check([key for key in changed if not key.startswith(records)], [])

    def check_everything(self) -> None:
        """M1, M14: every key of the server, order included, and no other; M12: every event; then the rest."""
        state, wanted = self.bench.state(), expected(self.model)
        for key in {*state, *wanted}:
            check((key, state.get(key)), (key, wanted.get(key)))
        events, self.model.events = self.model.events, []
        check(self.bench.new_events(), events)
        hashes = check_places(state)
        check_runs(state, hashes)
        check_markers(state)
        check_schedules(state, hashes)
        check_families(state, hashes, self.bench.keys.base)
        check_counts(state, self.bench.counts())
        for gone in self.starts.keys() - set(hashes):
            del self.starts[gone]
            self.lives[gone] += 1
        for wire_id in hashes:
            self.check_life(wire_id, int(state[wire_id].get("ats", 0)))
        self.is_sure = True

    def check_life(self, wire_id: str, started: int) -> None:
        """`ats` never decreases (M5); of all runs of one life at most one outcome is accepted (M4)."""
        if started < self.starts.get(wire_id, 0):
            check(wire_id in "xyz" or wire_id.startswith("repeat:"), True)
            self.lives[wire_id] += 1
        self.starts[wire_id] = started
        assert self.accepted[self.life(wire_id)] <= 1, f"{wire_id} has ended twice"

    def drain(self) -> None:
        """Liveness: when nothing goes wrong any more, a bounded number of claims ends every job."""
        model = self.model
        self.open()
        for schedule_id in list(model.schedules):
            self.unschedule(schedule_id)
        for wire_id in list(model.active):
            self.stall(wire_id)
        model.now += 60_000
        budget = 3 * len(model.jobs) + 2
        while model.wait or model.active or model.delayed or model.prioritized or model.waiting_children:
            budget -= 1
            assert budget > 0, "the queue does not drain"
            runs = self.claim(4)
            for run in runs:
                refused = model.refusal_to_complete(run.wire_id)
                wanted = OVERRULED if model.is_cancelled(run.wire_id) else 0
                check(self.commit([End(run, Verb.FAIL if refused else Verb.COMPLETE)]), [wanted])
            if not runs:
                self.give_up_children()
                model.now += 60_000
        self.check_everything()

    def give_up_children(self) -> None:
        """Whoever has failed without meaning anything to its parent is removed: no parent waits for ever."""
        for parent in list(self.model.waiting_children):
            for key in sorted(self.model.families[parent].pending):
                if (wire_id := key.removeprefix(self.bench.keys.base)) in self.model.failed:
                    self.remove(wire_id)
