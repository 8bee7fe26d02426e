"""Where Corral leaves something else behind than BullMQ 6.7, and why. Every row is shown by a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.interop.comparison import IntendedDifference
from tests.interop.operations import (
    MINUTE,
    Add,
    Claim,
    ComeDue,
    Fail,
    LoseLock,
    SetPaused,
    StalledCheck,
)


@dataclass(frozen=True)
class Intention:
    """One decision: the places where it shows, why it was made, and a sequence that shows it. `right`: what Corral
    leaves in these places, where only that is meant."""

    name: str
    reason: str
    places: tuple[str, ...]
    shown_by: Sequence[Any]
    right: Any = None

    def rows(self) -> list[IntendedDifference]:
        """Return the places as rows for the comparison."""
        return [IntendedDifference(place, self.reason, self.right) for place in self.places]


KEPT = {"attempts": 1, "removeOnComplete": False, "removeOnFail": False}
PLAIN = Add("plain", {}, KEPT)
RETRIED_LATER = Add("later", {}, {**KEPT, "attempts": 2, "backoff": {"type": "fixed", "delay": 60 * MINUTE}})
LATER = Add("later", {}, {**KEPT, "delay": 60 * MINUTE})

#: What shows in any sequence and changes nothing that follows.
EVERYWHERE = [
    Intention(
        "version",
        "meta.version is the last library that made a queue; Corral names itself where there is none",
        ("meta.content.version",),
        [PLAIN],
    ),
    Intention(
        "tokens",
        "tokens only wake sleepers: Corral passes one on after every call that leaves ready jobs, and announces the "
        "next due job also when the same call brought a job along",
        ("marker", "marker.*"),
        [RETRIED_LATER, PLAIN, Claim(1), Fail(0, "no", and_next=True)],
    ),
]

#: What drawn sequences avoid, mostly because it changes the order of all that follows.
APART = [
    Intention(
        "stalled priority",
        "a prioritized job that stalled goes back to the front of its priority, not to the front of everything "
        "(wire format §31)",
        ("prioritized", "wait*", "events.*", "pc*"),
        [
            Add("urgent", {}, {**KEPT, "priority": 2}),
            PLAIN,
            Claim(2),
            LoseLock(1),
            StalledCheck(),
            StalledCheck(),
        ],
    ),
    Intention(
        "retry before due",
        "a job that comes due while another is retried at once is promoted after it: one call settles first, then "
        "claims",
        ("wait.content", "events.waiting", "events.waiting.*"),
        [
            Add("retried", {}, {**KEPT, "attempts": 2}),
            LATER,
            Claim(1),
            ComeDue(0),
            Fail(0, "again"),
            SetPaused(True),
            Claim(1),
        ],
    ),
]
