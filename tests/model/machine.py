"""The state machine: random calls of producers and workers, each held against the model.

Every claim that was ever handed out is kept, and any of them may speak at any later step: that is how stale workers,
frozen ones and lost replies are told, without a second thread. Locks run out by a rule; time moves by a rule.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from corral.engine.record import Verb
from tests.model.bench import KEEP_LOGS, Bench, expected
from tests.model.queue_model import PLACES, End, QueueModel, Run, Sent, Wanted

START = 1_800_000_000_000
MAX_STALLED = 1
WORKERS = ("w1", "w2")
PRODUCERS = ("p1", "p2")

some = st.integers(0, 63)
"""Picks one of the claims that were handed out: counted from the latest, so that shrinking prefers it."""

new_jobs = st.lists(
    st.fixed_dictionaries(
        {
            "own_id": st.sampled_from([False, False, False, True]),
            "lifo": st.booleans(),
            "delay": st.sampled_from([0, 0, 0, 1, 500]),
            "priority": st.sampled_from([0, 0, 0, 1, 2]),
            "window": st.sampled_from(["", "", "", "d", "e"]),
            "mode": st.sampled_from(["simple", "ttl", "replace", "keep"]),
            "name": st.sampled_from("xyz"),
        }
    ),
    min_size=1,
    max_size=4,
)
new_ends = st.lists(
    st.tuples(
        some,
        st.sampled_from([*Verb, Verb.COMPLETE]),
        st.sampled_from([-1, -1, 0, 1, 2]),
        st.sampled_from([-1, -1, 1]),
        st.sampled_from([0, 1, 2, 700]),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=3,
)


def check(found: object, wanted: object) -> None:
    """Fail with both, which plain asserts do not show outside of test modules."""
    assert found == wanted, f"is {found!r}, should be {wanted!r}"


class QueueMachine(RuleBasedStateMachine):
    """One queue. `bench` is set by whoever runs it."""

    bench: ClassVar[Bench]

    def __init__(self) -> None:
        super().__init__()
        self.model = QueueModel(START)
        self.runs: list[Run] = []
        self.last: dict[str, tuple[Any, ...]] = {}
        self.numbers: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.lives: Counter[str] = Counter()
        self.starts: dict[str, int] = {}
        self.ids = 0
        self.healthy = True

    @initialize()
    def begin(self) -> None:
        """A new queue."""
        self.bench.begin()

    def teardown(self) -> None:
        """Let everything run to its end, then leave nothing behind."""
        try:
            if self.healthy:
                self.drain()
        finally:
            self.bench.wipe()

    def tell_time(self) -> None:
        """The server's calls are given the model's time. Until the invariants hold again, nothing is sure."""
        self.healthy = False
        self.bench.now = self.model.now

    # --- producers --------------------------------------------------------------------------------------

    @rule(shapes=new_jobs, sender=st.sampled_from(PRODUCERS))
    def add(self, shapes: list[dict[str, Any]], sender: str) -> None:
        """Add some jobs in one call."""
        jobs = []
        for shape in shapes:
            self.ids += 1
            name = shape.pop("name")
            jobs.append(Wanted(name if shape["own_id"] else f"j{self.ids}", **shape))
        self.send_add(jobs, sender)

    def send_add(self, jobs: list[Wanted], sender: str = "p1") -> None:
        """One call of a producer."""
        self.tell_time()
        number = self.number(sender)
        answer = self.model.add(jobs)
        self.model.sent[sender] = Sent(number, answer, [])
        self.last[sender] = ("add", jobs, number)
        check(self.bench.add(jobs, sender, number), answer)

    def number(self, sender: str) -> int:
        """The number of this sender's next call."""
        self.numbers[sender] += 1
        return self.numbers[sender]

    # --- workers ----------------------------------------------------------------------------------------

    @rule(wanted=st.integers(1, 4), sender=st.sampled_from(WORKERS))
    def claim(self, wanted: int, sender: str) -> None:
        """Claim some jobs."""
        self.send_claim(wanted, sender)

    def send_claim(self, wanted: int, sender: str = "w1") -> list[Run]:
        """One call of a worker."""
        self.tell_time()
        number = self.number(sender)
        token = f"{sender}:{number}"
        runs = self.model.claim(token, wanted)
        if len(runs) == wanted:
            self.model.pass_baton()
        if runs:
            self.model.sent[sender] = Sent(number, [], runs)
        self.last[sender] = ("claim", token, wanted, number)
        self.hold(self.bench.claim(token, wanted, sender, number).jobs, token, runs)
        return runs

    def hold(self, jobs: list[Any], token: str, runs: list[Run]) -> None:
        """What came back is what was expected; it is kept for ever."""
        check([Run(job.wire_id.decode(), token, job.starts) for job in jobs], runs)
        for job in jobs:
            fields = self.model.jobs[job.wire_id.decode()]
            names = ("data", "atm", "stc", "defa", "deid")
            values = (job.data, job.made, job.stalls, job.deferred, job.deduplication)
            check([value and value.decode() for value in values], [fields.get(name) for name in names])
        self.runs += [run for run in runs if run not in self.runs]

    @rule(wanted=st.integers(1, 4), sender=st.sampled_from(WORKERS))
    def wake_up(self, wanted: int, sender: str) -> None:
        """A sleeping worker takes the token, if there is one, and claims."""
        taken = self.bench.pop_token()
        expected_token = sorted(self.model.marker.items(), key=lambda item: item[1])[:1]
        check([(member, int(score)) for member, score in taken], expected_token)
        for member, _ in expected_token:
            del self.model.marker[member]
        self.send_claim(wanted, sender)

    @precondition(lambda self: self.runs)
    @rule(ends=new_ends, wanted=st.integers(0, 2), sender=st.sampled_from(WORKERS))
    def commit(self, ends: list[tuple[Any, ...]], wanted: int, sender: str) -> None:
        """Any runs say how they ended, and more is claimed."""
        made = [
            End(self.run(at), verb, f'"r{at}"', amount + self.model.now * (verb == "u"), keep, age, traces)
            for at, verb, keep, age, amount, traces in ends
        ]
        self.send_commit(made, wanted, sender)

    def run(self, at: int) -> Run:
        """One of all runs there ever were."""
        return self.runs[-1 - at % len(self.runs)]

    def send_commit(self, ends: list[End], wanted: int = 0, sender: str = "w1") -> list[int]:
        """One call of a worker. What is refused changes no byte (M7), what is accepted comes from the last run (M6)."""
        self.tell_time()
        number = self.number(sender)
        token = f"{sender}:{number}"
        lone = len(ends) == 1 and not wanted
        before = self.bench.dump() if lone else {}
        starts = {end.run.wire_id: self.model.jobs.get(end.run.wire_id, {}).get("ats") for end in ends}
        codes, runs = self.model.commit(ends, token, wanted)
        self.model.sent[sender] = Sent(number, codes, runs)
        self.last[sender] = ("commit", ends, token, wanted, number)
        reply = self.bench.commit(ends, token, wanted, sender, number)
        check(reply.codes, codes)
        self.hold(reply.jobs, token, runs)
        if lone and codes[0]:
            self.assert_untouched(before)
        for code, end in zip(codes, ends, strict=True):
            if code == 0:
                check(starts[end.run.wire_id], str(end.run.starts))
                self.ended[self.life(end.run.wire_id)] += end.verb in "cf"
        return codes

    def assert_untouched(self, before: dict[bytes, bytes]) -> None:
        """Nothing but the sender's record differs."""
        records, meta = self.bench.keys.key("sent").encode(), self.bench.keys.key("meta").encode()
        changed = {key for key, value in self.bench.dump().items() if before.get(key) != value}
        check({key for key in changed if not key.startswith(records) and key != meta}, set())
        assert before.keys() <= self.bench.dump().keys()

    def life(self, wire_id: str) -> str:
        """An id may be used again when its job is gone: that is another life."""
        return f"{wire_id}/{self.lives[wire_id]}"

    @precondition(lambda self: self.runs)
    @rule(picks=st.lists(some, min_size=1, max_size=3))
    def renew(self, picks: list[int]) -> None:
        """Any runs renew their locks, or take them again."""
        runs = [self.run(at) for at in picks]
        answers = [self.model.renew(run) for run in runs]
        before = self.bench.dump()
        check(self.bench.renew(runs), answers)
        if not any(answers):
            self.assert_untouched(before)

    @precondition(lambda self: self.runs)
    @rule(at=some, log=st.booleans(), value=st.integers(0, 3))
    def report(self, at: int, log: bool, value: int) -> None:
        """Any run reports its progress or writes a line to its log."""
        run = self.run(at)
        code = self.model.report_refusal(run)
        before = self.bench.dump() if code else {}
        if log:
            if not code:
                lines = [*self.model.logs.get(run.wire_id, []), f"line {value}"][-KEEP_LOGS:]
                self.model.logs[run.wire_id] = lines
                code = len(lines)
            check(self.bench.log(run, f"line {value}"), code)
        else:
            if not code:
                self.model.jobs[run.wire_id]["progress"] = str(value)
                self.model.say("progress", jobId=run.wire_id, data=value)
            check(self.bench.report(run, str(value)), code)
        if before:
            self.assert_untouched(before)

    # --- what happens to them ---------------------------------------------------------------------------

    @rule(milliseconds=st.sampled_from([1, 499, 500, 1000, 60_000]))
    def tick(self, milliseconds: int) -> None:
        """Time passes."""
        self.model.now += milliseconds

    @precondition(lambda self: self.model.locks)
    @rule(at=some)
    def lose_lock(self, at: int) -> None:
        """A lock runs out."""
        locks = sorted(self.model.locks)
        wire_id = locks[at % len(locks)]
        del self.model.locks[wire_id]
        self.bench.lose(f"{wire_id}:lock")

    @precondition(lambda self: any(window not in self.model.endless for window in self.model.owners))
    @rule()
    def window_ends(self) -> None:
        """A deduplication window runs out."""
        window = min(window for window in self.model.owners if window not in self.model.endless)
        del self.model.owners[window]
        self.bench.lose(f"de:{window}")

    @rule()
    def check_stalled(self) -> None:
        """The stalled check."""
        self.tell_time()
        order = self.bench.suspects()
        check(set(order), self.model.suspects)
        returned = self.model.check_stalled(order, MAX_STALLED)
        check(self.bench.check_stalled(MAX_STALLED), returned)
        self.bench.lose("stalled-check")

    @precondition(lambda self: self.model.jobs)
    @rule(at=some)
    def remove(self, at: int) -> None:
        """Somebody removes a job, if nobody holds it."""
        self.tell_time()
        ids = sorted(self.model.jobs)
        wire_id = ids[at % len(ids)]
        before = self.bench.dump()
        code = self.model.remove(wire_id)
        check(self.bench.remove(wire_id), code)
        if code != 1:
            self.assert_untouched(before)

    @rule()
    def flush_scripts(self) -> None:
        """The server forgets all scripts."""
        self.bench.raw.script_flush()

    @precondition(lambda self: self.last)
    @rule(at=some)
    def send_again(self, at: int) -> None:
        """A sender got no reply to its last call and sends it again: the same answer, and no byte changed."""
        self.tell_time()
        sender = sorted(self.last)[at % len(self.last)]
        kind, *call, number = self.last[sender]
        kept = self.model.sent.get(sender)
        if kept is None or kept.number != number:
            return  # a claim that got nothing is no record: it would be a new call
        before = self.bench.dump()
        if kind == "add":
            check(self.bench.add(call[0], sender, number), kept.answer)
        elif kind == "claim":
            again = self.bench.claim(call[0], call[1], sender, number).jobs
            self.hold(again, call[0], self.still_held(kept.runs))
        else:
            reply = self.bench.commit(call[0], call[1], call[2], sender, number)
            check(reply.codes, kept.answer)
            self.hold(reply.jobs, call[1], self.still_held(kept.runs))
        check(self.bench.dump(), before)

    def still_held(self, runs: list[Run]) -> list[Run]:
        """Those runs that hold their locks."""
        locks, jobs = self.model.locks, self.model.jobs
        return [
            run
            for run in runs
            if locks.get(run.wire_id) == run.token and jobs[run.wire_id].get("ats") == str(run.starts)
        ]

    # --- stories of several steps -----------------------------------------------------------------------

    @rule(at=some, sender=st.sampled_from(WORKERS))
    def takeover(self, at: int, sender: str) -> None:
        """A worker is gone for so long that its job is returned and claimed by another; then it speaks again."""
        if not self.model.active:
            self.send_add([Wanted(self.next_id())])
            self.send_claim(1, sender)
        wire_id = self.model.active[at % len(self.model.active)]
        self.stall(wire_id)
        self.send_claim(4, sender)
        old = [run for run in self.runs if run.wire_id == wire_id]
        if old:
            self.renew([self.runs[::-1].index(old[0])])
            self.send_commit([End(old[0], Verb.COMPLETE)], 0, sender)

    def next_id(self) -> str:
        """An id for one more job."""
        self.ids += 1
        return f"j{self.ids}"

    def stall(self, wire_id: str) -> None:
        """Its lock runs out, and two checks pass."""
        if wire_id in self.model.locks:
            del self.model.locks[wire_id]
            self.bench.lose(f"{wire_id}:lock")
        self.check_stalled()
        self.check_stalled()

    @rule(priority=st.sampled_from([0, 1]))
    def double_stall(self, priority: int) -> None:
        """A job kills every worker that runs it."""
        wire_id = self.next_id()
        self.send_add([Wanted(wire_id, priority=priority)])
        for _ in range(2):
            while wire_id not in self.model.active:
                self.send_claim(4)
            self.stall(wire_id)
        self.send_claim(4, "w2")

    @rule(size=st.integers(5, 10))
    def storm(self, size: int) -> None:
        """Many jobs at once, of every kind."""
        shapes = [
            {},
            {"priority": 1},
            {"delay": 500},
            {"lifo": True},
            {"priority": 2},
            {"delay": 500, "priority": 1},
        ]
        self.send_add([Wanted(self.next_id(), **shapes[at % len(shapes)]) for at in range(size)])  # type: ignore[arg-type]

    # --- what holds after every step --------------------------------------------------------------------

    @invariant()
    def the_server_is_as_the_model(self) -> None:
        """M1, M14: every key of the server, order included, and no other; M12: every event, in order."""
        state = self.bench.state()
        wanted = expected(self.model)
        keys = sorted(key for key in {*state, *wanted} if state.get(key) != wanted.get(key))
        assert not keys, "\n".join(
            f"{key}: is {state.get(key)!r}, should be {wanted.get(key)!r}" for key in keys
        )
        events, self.model.events = self.model.events, []
        check(self.bench.new_events(), events)
        self.check_state(state)
        self.check_counts()
        self.healthy = True

    def check_state(self, state: dict[str, Any]) -> None:
        """M2, M3, M5, M11, M13, on the server's own keys."""
        places = [*state.get("wait", []), *state.get("active", [])]
        for name in ("prioritized", "delayed", "completed", "failed"):
            places += [member for member, _ in state.get(name, [])]
        hashes = {key for key, value in state.items() if isinstance(value, dict) and "timestamp" in value}
        assert sorted(places) == sorted(hashes), "each job is in exactly one place (M2)"
        for key in state:
            if key.endswith(":lock"):
                assert key.removesuffix(":lock") in state.get("active", []), (
                    "only active jobs have locks (M3)"
                )
        for wire_id in hashes:
            job = state[wire_id]
            started, made, stalls = (int(job.get(name, 0)) for name in ("ats", "atm", "stc"))
            assert made <= started, "no attempt ends before it starts (M5)"
            assert stalls <= started
            self.check_life(wire_id, started, job["timestamp"])
        for wire_id, score in state.get("delayed", []):
            assert score // PLACES >= int(state[wire_id]["timestamp"]), "due times can be read (M11)"
        ready = state.get("wait") or state.get("prioritized")
        assert not ready or "0" in dict(state.get("marker", [])), (
            "somebody can be woken for what is ready (M13)"
        )

    def check_life(self, wire_id: str, started: int, born: str) -> None:
        """`ats` never decreases (M5); of all runs of one life at most one outcome is accepted (M4)."""
        assert self.ended[self.life(wire_id)] <= 1
        if started < self.starts.get(wire_id, 0):
            self.lives[wire_id] += 1
            assert int(born) <= self.model.now
        self.starts[wire_id] = started

    def check_counts(self) -> None:
        """M15: the counts are the sizes of the sets."""
        model = self.model
        wanted = {
            "waiting": len(model.wait),
            "active": len(model.active),
            "delayed": len(model.delayed),
            "prioritized": len(model.prioritized),
            "completed": len(model.completed),
            "failed": len(model.failed),
            "waiting-children": 0,
        }
        check(self.bench.counts(), wanted)

    def drain(self) -> None:
        """Liveness: when nothing goes wrong any more, a bounded number of claims ends every job."""
        model = self.model
        for wire_id in list(model.active):
            self.stall(wire_id)
        model.now += 60_000
        budget = 2 * len(model.jobs) + 2
        while model.wait or model.active or model.delayed or model.prioritized:
            budget -= 1
            assert budget > 0, "the queue does not drain"
            runs = self.send_claim(4)
            assert self.send_commit([End(run, Verb.COMPLETE) for run in runs]) == [0] * len(runs)
        self.the_server_is_as_the_model()
