"""Where schedules of Corral leave something else behind than those of BullMQ 6.7, and why. Every row is shown by a
test."""

from __future__ import annotations

from tests.interop.clock import START
from tests.interop.intended import KEPT, PLAIN, Intention
from tests.interop.operations import MINUTE, Claim, Fail, LoseLock, SetPaused, StalledCheck
from tests.interop.queue_steps import Drain
from tests.interop.schedule_steps import HOUR, RemoveSchedule, Upsert
from tests.interop.timed import Pass, PassUntilDue

SOON = Upsert("a", {"every": 7 * MINUTE})
QUARTERS = Upsert("a", {"pattern": "*/15 * * * *", "tz": "UTC"})
TWICE = {**KEPT, "attempts": 2, "backoff": {"type": "fixed", "delay": 2 * MINUTE}}
PAST_SEVEN = Upsert("a", {"every": HOUR, "offset": 7 * MINUTE})

#: What shows in any sequence and changes nothing that follows.
EVERYWHERE = [
    Intention(
        "offset of a pattern",
        "BullMQ leaves the grid of an interval in a schedule that has become a pattern, which has none",
        ("repeat:*.content.offset",),
        [PAST_SEVEN, QUARTERS],
        right="0",
    ),
    Intention(
        "number of the pending iteration",
        "a schedule whose rule stays goes on counting: only another rule begins anew",
        ("repeat:*:*.content.opts.repeat.count",),
        [QUARTERS, PassUntilDue(), Claim(), Upsert("a", QUARTERS.rule, "tock")],
    ),
]

ANYWHERE = ("delayed*", "events*", "id.*", "prioritized*", "repeat*", "wait*")

#: What drawn sequences leave out, because all that follows is another time or another job.
APART = [
    Intention(
        "stored again",
        "a schedule that is stored again with nothing changed is left alone, and so is what somebody did to its job",
        ANYWHERE,
        [QUARTERS, Pass(MINUTE), QUARTERS],
    ),
    Intention(
        "limit",
        "BullMQ counts from 1 when a schedule is stored again, so that its limit begins anew with each release",
        ANYWHERE,
        [limited := Upsert("a", {"every": HOUR, "limit": 2}), Claim(), limited, PassUntilDue(), Claim()],
    ),
    Intention(
        "limit where none is pending",
        "BullMQ counts from 1 when a schedule is stored again, also after its pending iteration was drained",
        ANYWHERE,
        [limited, Claim(), Drain(delayed=True), limited, PassUntilDue(), Claim()],
    ),
    Intention(
        "removal while it is tried again",
        "a run that has begun goes on; BullMQ deletes it where it waits for its next attempt",
        ANYWHERE,
        [
            retried := Upsert("a", {"every": HOUR, "limit": 1}, options=TWICE),
            Claim(),
            Fail(0, "no"),
            RemoveSchedule("a"),
        ],
    ),
    Intention(
        "stored again while it is tried again",
        "a run that has begun goes on; BullMQ makes it anew, with no attempt spent",
        ANYWHERE,
        [retried, Claim(), Fail(0, "no"), retried],
    ),
    Intention(
        "upsert while paused",
        "BullMQ 6 does not find a pending iteration in the line of a paused queue, and makes a second one",
        ANYWHERE,
        [SOON, SetPaused(True), SOON],
    ),
    Intention(
        "upsert of an unchanged pattern",
        "a pattern that is stored again keeps the run that it has missed",
        ANYWHERE,
        [QUARTERS, Pass(17 * MINUTE), QUARTERS],
    ),
    Intention(
        "immediately",
        "a schedule that is stored again does not start a run for each replica",
        ANYWHERE,
        [now := Upsert("a", {**QUARTERS.rule, "immediately": True}), Pass(MINUTE), now],
    ),
    Intention(
        "another interval",
        "BullMQ keeps the grid of the interval before while an iteration is pending; a new interval has its own",
        ("repeat:a.content.offset",),
        [PAST_SEVEN, SOON],
    ),
    Intention(
        "another offset",
        "BullMQ keeps the time of the pending iteration while the interval is the same",
        ANYWHERE,
        [PAST_SEVEN, Upsert("a", {"every": HOUR, "offset": 9 * MINUTE})],
    ),
    Intention(
        "another start",
        "BullMQ keeps the time of the pending iteration while the interval is the same",
        ANYWHERE,
        [SOON, Upsert("a", {**SOON.rule, "startDate": START + HOUR})],
    ),
    Intention(
        "interval beyond its end",
        "BullMQ makes one more iteration, behind the end",
        ANYWHERE,
        [Upsert("a", {**SOON.rule, "endDate": START + 10 * MINUTE}), Claim(), PassUntilDue(), Claim()],
    ),
    Intention(
        "removal",
        "BullMQ leaves a pending iteration that is due already: what is removed runs no more",
        ANYWHERE,
        [SOON, PLAIN, RemoveSchedule("a")],
    ),
    Intention(
        "removal with a priority",
        "BullMQ leaves a pending iteration that is due already: what is removed runs no more",
        ANYWHERE,
        [Upsert("a", SOON.rule, options={**KEPT, "priority": 2}), RemoveSchedule("a")],
    ),
    Intention(
        "drain",
        "BullMQ cuts the line by count, so that a pending iteration may go and an id without a job stay",
        ANYWHERE,
        [PLAIN, PLAIN, SOON, Drain(delayed=False)],
    ),
    Intention(
        "poison pill",
        "an iteration that stalls too often is failed, as any job; BullMQ tries it for ever",
        ("repeat:a:*.content.defa",),
        [
            SOON,
            Claim(),
            *(LoseLock(0), StalledCheck(), StalledCheck(), Claim()),
            *(LoseLock(0), StalledCheck(), StalledCheck()),
        ],
    ),
]
