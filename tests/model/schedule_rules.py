"""What is done to schedules, in whatever order."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from corral.engine.record import Verb
from tests.model.calls import End
from tests.model.play import Play
from tests.model.queue_model import QueueModel

SCHEDULES = st.sampled_from(["s", "t:u"])
INTERVALS = st.sampled_from([500, 1000, 7000])


class ScheduleRules(RuleBasedStateMachine):
    """The rules of schedules."""

    play: Play
    model: QueueModel

    @rule(schedule_id=SCHEDULES, every=INTERVALS)
    def upsert(self, schedule_id: str, every: int) -> None:
        """Somebody makes a schedule, makes it again, or changes it."""
        self.play.upsert(schedule_id, every)

    @rule(schedule_id=SCHEDULES)
    def unschedule(self, schedule_id: str) -> None:
        """Somebody removes a schedule, if there is one."""
        self.play.unschedule(schedule_id)

    @rule()
    def sweep(self) -> None:
        """A worker looks whether each schedule has its pending iteration."""
        self.play.sweep()

    @precondition(lambda self: self.model.schedules)
    @rule(whole=st.booleans())
    def lose_iteration(self, whole: bool) -> None:
        """Another program loses a pending iteration."""
        self.play.lose_iteration(min(self.model.schedules), whole=whole)

    @rule(
        verb=st.sampled_from([Verb.COMPLETE, Verb.FAIL, Verb.RETRY, Verb.GIVE_BACK]),
        late=st.sampled_from([0, 1, 5000]),
    )
    def recurrence(self, verb: Verb, late: int) -> None:
        """An iteration starts in time or late, and ends or is tried again; only its first start makes the next."""
        self.play.open()
        self.play.upsert("s", 500)
        self.model.now = max(self.model.now, self.model.schedules["s"].next_run + late)
        wire_id = self.model.pending_id("s")
        for _ in range(2):
            run = next((run for run in self.play.claim(4) if run.wire_id == wire_id), None)
            self.play.check_everything()
            if run:
                self.play.commit([End(run, verb)])
