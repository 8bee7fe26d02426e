"""What is done with flows, in whatever order."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from corral.engine.record import Verb
from tests.model.calls import Child, End, Run
from tests.model.play import Play
from tests.model.queue_model import QueueModel

POLICIES = ["", "", "fpof", "cpof", "idof", "rdof"]
policies = st.lists(st.sampled_from(POLICIES), min_size=1, max_size=3)


class FamilyRules(RuleBasedStateMachine):
    """The rules of flows."""

    play: Play
    model: QueueModel

    @rule(
        shape=policies,
        delay=st.sampled_from([0, 0, 500]),
        priority=st.sampled_from([0, 0, 1]),
        later=st.booleans(),
    )
    def flow(self, shape: list[str], delay: int, priority: int, later: bool) -> None:
        """Somebody adds a parent with children."""
        children = [
            Child(self.play.new_id(), policy, 500 if later and at else 0, at)
            for at, policy in enumerate(shape)
        ]
        self.play.add_flow(self.play.new_id(), children, delay, priority)

    @precondition(lambda self: self.model.families)
    @rule(at=st.integers(0, 15))
    def remove_relative(self, at: int) -> None:
        """Somebody removes a parent, or a child that its parent waits for."""
        relatives = sorted(self.model.families)
        for family in self.model.families.values():
            relatives += sorted(key.removeprefix(self.model.base) for key in family.pending)
        self.play.remove(relatives[at % len(relatives)])

    @rule(
        shape=policies,
        fails=st.integers(0, 7),
        keep=st.sampled_from([-1, 0, 1, 1]),
        delay=st.sampled_from([0, 500]),
    )
    def upbringing(self, shape: list[str], fails: int, keep: int, delay: int) -> None:
        """Children run to their ends, good or bad, and their parent after them."""
        self.play.open()
        children = [Child(self.play.new_id(), policy, priority=1) for policy in shape]
        parent = self.play.new_id()
        self.play.add_flow(parent, children, delay)
        ids = {child.wire_id: at for at, child in enumerate(children)}
        for _ in range(3):
            for run in self.play.claim(4):
                if run.wire_id in ids:
                    verb = Verb.FAIL if fails >> ids[run.wire_id] & 1 else Verb.COMPLETE
                    self.play.commit([End(run, verb, keep=keep)])
                elif run.wire_id == parent:
                    self.play.commit([End(run, Verb.COMPLETE)])
                self.play.check_everything()

    @rule(policy=st.sampled_from(POLICIES))
    def last_word(self, policy: str) -> None:
        """A parent that runs while a child of its is open is cancelled. Then the child fails."""
        self.play.open()
        first, second, parent = (self.play.new_id() for _ in range(3))
        self.play.add_flow(parent, [Child(first, "cpof"), Child(second, policy)])
        runs: dict[str, Run] = {}
        while not runs.keys() >= {first, second}:
            runs |= {run.wire_id: run for run in self.play.claim(4)}
        self.play.commit([End(runs[first], Verb.FAIL)])
        while parent not in runs:
            runs |= {run.wire_id: run for run in self.play.claim(4)}
        self.play.cancel(parent, "cancelled")
        self.play.commit([End(runs[second], Verb.FAIL)])
        self.play.commit([End(runs[parent], Verb.COMPLETE)])
