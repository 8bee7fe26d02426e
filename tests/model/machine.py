"""The state machine: which calls are made, in whatever order. Locks run out by a rule; time moves by a rule."""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from corral.engine.record import Verb
from tests.model.bench import HOUR_MS, Bench
from tests.model.calls import End, Wanted
from tests.model.family_rules import FamilyRules
from tests.model.invariants import check
from tests.model.play import Play
from tests.model.schedule_rules import ScheduleRules

BUDGET = settings(
    max_examples=100,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
"""What a run in CI may take. The same modules make the same plays: Hypothesis draws constants of all that is loaded."""

WORKERS = st.sampled_from(["w1", "w2"])
PRODUCERS = st.sampled_from(["p1", "p2"])
some = st.integers(0, 63)
"""Picks one of many, the latest first: shrinking prefers it."""

new_jobs = st.lists(
    st.fixed_dictionaries(
        {
            "name": st.sampled_from("...xyz"),
            "lifo": st.booleans(),
            "delay": st.sampled_from([0, 0, 0, 1, 500]),
            "priority": st.sampled_from([0, 0, 0, 1, 2]),
            "window": st.sampled_from(["", "", "", "d", "e"]),
            "mode": st.sampled_from(["simple", "ttl", "replace", "keep"]),
        }
    ),
    min_size=1,
    max_size=4,
)
new_ends = st.lists(
    st.fixed_dictionaries(
        {
            "at": some,
            "verb": st.sampled_from([*Verb, Verb.COMPLETE]),
            "keep": st.sampled_from([-1, -1, 0, 1, 2]),
            "age": st.sampled_from([-1, -1, 1]),
            "amount": st.sampled_from([0, 1, 2, 700]),
            "traces": st.integers(0, 2),
        }
    ),
    min_size=1,
    max_size=6,
)
STORM: list[dict[str, Any]] = [
    {},
    {"priority": 1},
    {"delay": 500},
    {"lifo": True},
    {"priority": 2},
    {"delay": 500, "priority": 1},
]


class QueueMachine(ScheduleRules, FamilyRules):
    """One queue on a server. `bench` is set by whoever runs the machine."""

    bench: ClassVar[Bench]

    def __init__(self) -> None:
        super().__init__()
        self.play = Play(self.bench)
        self.model = self.play.model

    def teardown(self) -> None:
        """Let everything run to its end, then leave nothing behind."""
        try:
            if self.play.is_sure:
                self.play.drain()
        finally:
            self.bench.wipe()

    @invariant()
    def all_is_well(self) -> None:
        """The server is as the model, and the model is sound."""
        self.play.check_everything()

    # --- calls ------------------------------------------------------------------------------------------

    @rule(shapes=new_jobs, sender=PRODUCERS)
    def add(self, shapes: list[dict[str, Any]], sender: str) -> None:
        """Add some jobs in one call, some of them with ids of the caller's."""
        jobs = []
        for shape in shapes:
            name, options = shape["name"], {key: value for key, value in shape.items() if key != "name"}
            own = name != "."
            jobs.append(Wanted(name if own else self.play.new_id(), own_id=own, **options))
        self.play.add(jobs, sender)

    @rule(wanted=st.integers(1, 4), sender=WORKERS)
    def claim(self, wanted: int, sender: str) -> None:
        """Claim some jobs."""
        self.play.claim(wanted, sender)

    @precondition(lambda self: self.model.marker)
    @rule(wanted=st.integers(1, 4), sender=WORKERS)
    def wake_up(self, wanted: int, sender: str) -> None:
        """A sleeping worker takes a token and claims."""
        first = min(self.model.marker, key=lambda member: self.model.marker[member])
        check(self.bench.pop_token(), first)
        del self.model.marker[first]
        self.play.claim(wanted, sender)

    @precondition(lambda self: self.play.runs)
    @rule(ends=new_ends, wanted=st.integers(0, 2), sender=WORKERS)
    def commit(self, ends: list[dict[str, Any]], wanted: int, sender: str) -> None:
        """Any runs say how they ended, and more is claimed."""
        made = []
        for fields in ends:
            run = self.play.run(fields["at"])
            options = {key: value for key, value in fields.items() if key != "at"}
            options["amount"] += self.model.now if fields["verb"] == Verb.SNOOZE_UNTIL else 0
            options["amount"] *= HOUR_MS if fields["verb"] == Verb.HOLD_OFF else 1
            made.append(End(run, text=f'"r{fields["at"]}"', **options))
        self.play.commit(made, wanted, sender)

    @precondition(lambda self: self.play.runs)
    @rule(picks=st.lists(some, min_size=1, max_size=3))
    def renew(self, picks: list[int]) -> None:
        """Any runs renew their locks, or take them again."""
        self.play.renew([self.play.run(at) for at in picks])

    @precondition(lambda self: self.play.runs)
    @rule(at=some, log=st.booleans(), value=st.integers(0, 3))
    def report(self, at: int, log: bool, value: int) -> None:
        """Any run reports its progress or writes a line to its log."""
        if log:
            self.play.log(self.play.run(at), f"line {value}")
        else:
            self.play.progress(self.play.run(at), value)

    @precondition(lambda self: self.play.calls)
    @rule(at=some, back=st.sampled_from([0, 0, 1, 2]))
    def send_again(self, at: int, back: int) -> None:
        """A call of any sender comes a second time."""
        senders = sorted(self.play.calls)
        self.play.send_again(senders[at % len(senders)], back)

    @precondition(lambda self: self.model.jobs)
    @rule(at=some)
    def remove(self, at: int) -> None:
        """Somebody removes a job."""
        ids = sorted(self.model.jobs)
        self.play.remove(ids[at % len(ids)])

    @precondition(lambda self: self.model.jobs)
    @rule(at=some, reason=st.sampled_from(["cancelled", "cancelled: why"]))
    def cancel(self, at: int, reason: str) -> None:
        """Somebody cancels a job."""
        ids = sorted(self.model.jobs)
        self.play.cancel(ids[at % len(ids)], reason)

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
        self.play.lose_lock(locks[at % len(locks)])

    @precondition(lambda self: self.model.owners.keys() - self.model.endless)
    @rule()
    def window_ends(self) -> None:
        """A deduplication window runs out."""
        window = min(self.model.owners.keys() - self.model.endless)
        del self.model.owners[window]
        self.bench.lose(f"de:{window}")

    @rule()
    def check_stalled(self) -> None:
        """The stalled check."""
        self.play.check_stalled()

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        """Somebody pauses or resumes the queue."""
        self.play.set_paused(paused)

    @rule(most=st.sampled_from([None, None, 1, 2, 4]))
    def limit(self, most: int | None) -> None:
        """Somebody limits how many may run at once."""
        self.play.set_concurrency(most)

    @rule(most=st.sampled_from([None, None, 1, 3]))
    def pace(self, most: int | None) -> None:
        """Somebody limits how many may start in a window."""
        self.play.set_rate(most)

    @precondition(lambda self: self.model.started)
    @rule()
    def end_window(self) -> None:
        """A window, or a time in which nothing may start, is over."""
        self.play.end_window()

    @rule()
    def flush_scripts(self) -> None:
        """The server forgets all scripts."""
        self.bench.raw.script_flush()

    # --- stories of several steps, which chance alone would hardly tell -----------------------------------

    @rule(at=some, lost=st.booleans())
    def takeover(self, at: int, lost: bool) -> None:
        """A worker is gone for so long that its job is returned and claimed by another; then it speaks again.

        Or its reply was: it claims once more what it never got. The other may lose its lock as well.
        """
        self.play.open()
        wire_id = self.started_job(at)
        old = next(run for run in self.play.runs if run.wire_id == wire_id)
        self.play.stall(wire_id)
        self.play.claim(4, "w2")
        if lost:
            self.play.lose_lock(wire_id)
        self.play.send_again("w1", 0)
        self.play.check_stalled()
        self.play.renew([old, self.play.run(0)])
        self.play.progress(old, 99)
        self.play.commit([End(old, Verb.COMPLETE)], 0, "w1")

    def started_job(self, at: int) -> str:
        """A job that runs, a new one if there is none."""
        if not self.model.active:
            self.play.add([Wanted(self.play.new_id(), lifo=True)])
            self.play.claim(1)
        return self.model.active[at % len(self.model.active)]

    @rule(
        mode=st.sampled_from(["simple", "ttl"]), keep=st.sampled_from([-1, 0, 1]), verb=st.sampled_from("cf")
    )
    def life(self, mode: str, keep: int, verb: str) -> None:
        """A job runs, writes a log, is wanted once more meanwhile, and ends; its handler does not know that yet."""
        self.play.open()
        wire_id = self.play.new_id()
        self.play.add([Wanted(wire_id, lifo=True, window=wire_id, mode=mode)])
        run = next((run for run in self.play.claim(1) if run.wire_id == wire_id), None)
        if run:
            self.play.log(run, "alive")
            self.play.add([Wanted(self.play.new_id(), window=wire_id, mode="keep")])
            self.play.check_everything()
            self.play.commit([End(run, Verb(verb), amount=1, keep=keep)])
            self.play.progress(run, 100)
            self.play.log(run, "too late")

    @rule(meanwhile=st.sampled_from(["nothing", "expired", "stalled", "settled"]))
    def lost_reply(self, meanwhile: str) -> None:
        """The reply to a claim is lost, and it is sent again after something has happened to its job."""
        self.play.open()
        wire_id = self.play.new_id()
        self.play.add([Wanted(wire_id, lifo=True)])
        (run,) = self.play.claim(1, "w1")
        if meanwhile == "expired":
            self.play.lose_lock(run.wire_id)
        elif meanwhile == "stalled":
            self.play.stall(run.wire_id)
        elif meanwhile == "settled":
            self.play.commit([End(run, Verb.RETRY)], 0, "w2")
        self.play.send_again("w1", 0)

    @rule(at=some, dead=st.booleans())
    def crowded(self, at: int, dead: bool) -> None:
        """As many run as may run, and nobody is awake; then one of them dies, or is tried again at once."""
        self.play.open()
        wire_id = self.started_job(at)
        self.play.add([Wanted(self.play.new_id())])
        self.play.set_concurrency(len(self.model.active))
        self.play.lose_tokens()
        run = next(run for run in reversed(self.play.runs) if run.wire_id == wire_id)
        if dead:
            self.play.stall(wire_id)
        else:
            self.play.commit([End(run, Verb.RETRY)], 1)

    @rule(at=some, verb=st.sampled_from([*Verb]), dead=st.booleans())
    def cancelled(self, at: int, verb: Verb, dead: bool) -> None:
        """A job that runs is cancelled. Its worker does not know, and ends the run in whatever way; or it has died,
        as has the next, and another takes the job over."""
        self.play.open()
        wire_id = self.started_job(at)
        run = next(run for run in self.play.runs if run.wire_id == wire_id)
        self.play.cancel(wire_id, "cancelled")
        self.play.check_everything()
        if dead:
            for _ in range(2):
                self.play.stall(wire_id)
                self.play.claim(4, "w2")
        amount = self.model.now if verb == Verb.SNOOZE_UNTIL else HOUR_MS if verb == Verb.HOLD_OFF else 1
        self.play.commit([End(run, verb, amount=amount)], 0, "w1")

    @rule(sender=WORKERS)
    def shutdown(self, sender: str) -> None:
        """A worker gives back what it has just begun, while others wait."""
        self.play.add([Wanted(self.play.new_id()), Wanted(self.play.new_id())])
        runs = self.play.claim(1, sender)
        self.play.commit([End(run, Verb.GIVE_BACK) for run in runs], 0, sender)

    @rule(most=st.sampled_from([2, 3]))
    def burst(self, most: int) -> None:
        """Nobody is awake, and somebody allows some starts in a window; more are asked for, in two calls."""
        self.play.open()
        self.play.add([Wanted(self.play.new_id()) for _ in range(4)])
        self.play.lose_tokens()
        self.play.set_rate(most)
        self.play.check_everything()
        self.play.claim(1)
        self.play.claim(3)

    @rule(priority=st.sampled_from([0, 1]))
    def double_stall(self, priority: int) -> None:
        """A job kills every worker that runs it."""
        self.play.open()
        wire_id = self.play.new_id()
        self.play.add([Wanted(wire_id, priority=priority)])
        for _ in range(2):
            while wire_id not in self.model.active:
                self.play.claim(4)
            self.play.stall(wire_id)
        self.play.set_rate(3)
        self.play.claim(4, "w2")

    @rule(size=st.integers(5, 10), due=st.booleans())
    def storm(self, size: int, due: bool) -> None:
        """Many jobs at once, of every kind; then it is the very millisecond in which the delayed ones are due."""
        self.play.add([Wanted(self.play.new_id(), **STORM[at % len(STORM)]) for at in range(size)])
        if due:
            self.model.now += 500
            self.play.claim(4)
