"""Where an operator of Corral leaves something else behind than one of BullMQ 6.7, and why. A test shows each row."""

from __future__ import annotations

from typing import Any

from tests.interop.intended import KEPT, Intention
from tests.interop.operations import MINUTE, Add, Claim, Complete, Fail
from tests.interop.queue_steps import Clean, Obliterate, Pause, Resume
from tests.interop.timed import Pass


def _add(job_id: str, **options: Any) -> Add:
    return Add("n", {}, {**KEPT, "jobId": job_id, **options})


#: What BullMQ leaves of a queue that it obliterates.
LEFT_BEHIND = Intention(
    "obliterate",
    "BullMQ leaves deduplication ids behind: nothing is left of what is obliterated",
    ("de:*", "dn:*"),
    [
        _add("a", deduplication={"id": "d", "ttl": MINUTE}, removeOnComplete=True),
        *(Claim(), Complete(0, None), Obliterate()),
    ],
)

#: What drawn sequences leave out.
APART = [
    Intention(
        "nothing to clean",
        "a clean goes in steps, each of which tells what it has removed; BullMQ tells also of nothing",
        ("events.cleaned",),
        [_add("a"), Clean("completed", 0)],
    ),
    Intention(
        "limit of a clean",
        "of jobs that have not ended BullMQ looks at so many, and may remove none",
        ("events.cleaned*", "old", "wait.content"),
        [_add("old"), Pass(4 * MINUTE), _add("new", lifo=True), Clean("wait", MINUTE, limit=1)],
    ),
    Intention(
        "age of a job that has run",
        "for a prioritized job BullMQ looks at its beginning, for others at its last start: one rule for all",
        ("events.cleaned", "a", "prioritized*"),
        [
            _add("a", priority=1, attempts=2),
            Pass(4 * MINUTE),
            *(Claim(), Fail(0, "no"), Clean("prioritized", MINUTE)),
        ],
    ),
    Intention("paused twice", "a call may be sent again", ("events.paused",), [_add("a"), Pause(), Pause()]),
    Intention(
        "resumed without a pause", "a call may be sent again", ("events.resumed",), [_add("a"), Resume()]
    ),
]
