"""The rows of the table of conformance: what one side begins and the other side has to carry on.

A test says which cells it shows with `@row("priority", FROM_NODE)`; its BullMQ version is that of its fixture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.interop.bullmq import PORT_VERSION, VERSIONS

FROM_CORRAL = "Corral → BullMQ"
FROM_NODE = "BullMQ → Corral"
DIRECTIONS = (FROM_CORRAL, FROM_NODE)
BOTH = DIRECTIONS

PEERS = {**VERSIONS, **PORT_VERSION}
"""The columns: the name in tests → the version. The port is BullMQ's own for Python."""

GROUPS: dict[str, dict[str, str]] = {
    "Jobs": {
        "run": "added, run, its result read",
        "bulk": "many added in one call, run in their order",
        "id": "the same id added twice is one job",
        "three-part-id": "an id with two colons",
        "form-standard": "a standard job read field by field",
        "form-delayed": "a delayed job",
        "form-prioritized": "a prioritized job",
        "form-parent": "a parent that waits for its children",
        "priority": "priorities: jobs without one first, then the lowest number, then the oldest",
        "delay-order": "delayed jobs run when due, in the order of their times",
        "same-millisecond": "jobs due in the same millisecond keep their order",
        "lifo": "lifo jobs run first",
        "retry-at-once": "retried without a backoff",
        "retry-fixed": "retried with a fixed backoff",
        "retry-exponential": "retried with an exponential backoff",
        "exhausted": "failed after the last attempt, `retries-exhausted` told",
        "unrecoverable": "failed at once by an unrecoverable error",
        "snooze": "put off by its own handler, no attempt spent",
        "progress": "progress and its event",
        "logs": "log lines",
    },
    "Removal at the end": {
        "keep-none": "`removeOnComplete: true`",
        "keep-all": "`removeOnComplete: false`",
        "keep-number": "`removeOnComplete: n`",
        "keep-count": "`removeOnComplete: {count}`",
        "keep-age": "`removeOnComplete: {age}`",
        "keep-age-count": "`removeOnComplete: {age, count}`",
        "keep-failed": "`removeOnFail`",
    },
    "Crashes and locks": {
        "stalled": "a worker is killed: the other side runs its job again",
        "stalled-too-often": "a job that stalled too often fails",
        "lock-stolen": "a run whose lock another took records nothing",
    },
    "Deduplication": {
        **{
            f"{mode}-{owner}": f"{mode}: the owner is {owner}"
            for mode in ("simple", "throttle", "debounce", "keep-last")
            for owner in ("waiting", "delayed", "active")
        },
        "keep-last-requeue": "keep-last: what came while the owner ran is run after it",
    },
    "Flows": {
        "flow": "a tree added at once runs, children before parents",
        "flow-fail-parent": "a child fails: `failParentOnFailure`",
        "flow-continue-parent": "a child fails: `continueParentOnFailure`",
        "flow-ignore": "a child fails: `ignoreDependencyOnFailure`",
        "flow-remove": "a child fails: `removeDependencyOnFailure`",
        "flow-none": "a child fails, no policy: the parent waits until it is retried",
        "flow-run-time": "children added by the running parent",
        "flow-dependencies": "dependencies and children's results read",
    },
    "Schedules": {
        "every": "`every`",
        "pattern": "a cron pattern",
        "zone": "a cron pattern in a time zone",
        "limit": "`limit`",
        "start-date": "`startDate`",
        "end-date": "`endDate`",
        "offset": "`offset`",
        "upsert-again": "upserted over itself: one pending job",
        "schedule-removed": "removed: its pending job goes too",
        "advance": "the next run is made by the other side's worker",
        "schedules-listed": "listed and read",
    },
    "Limits": {
        "rate-limit": "a rate limit shared by workers of both sides",
        "rate-limit-dynamic": "a rate limit that a handler sets",
        "concurrency": "a global concurrency shared by workers of both sides",
    },
    "Pause": {
        "pause": "a paused queue is left alone, and goes on after resume",
        "pause-add-resume": "one side pauses, the other adds, the first resumes: nothing is lost",
        "pause-add-other-resumes": "one side pauses, both add, the other resumes: nothing is lost",
        "pause-three-parties": "Corral and two versions of BullMQ take turns to pause, add and resume: nothing is lost",
    },
    "Events": {
        "events": "a job's events: the same names, fields and order",
        "wait-until-finished": "a producer waits for the result of a job that the other side runs",
        "custom-event": "an event of one's own",
    },
    "Looking": {
        "counts": "counts per state",
        "state": "the state of a job",
        "workers": "workers are found",
        "metrics": "metrics per minute",
        "worker-name": "the name of the worker that ran a job",
    },
    "Administration": {
        "remove": "remove a job",
        "remove-children": "remove a job with its children",
        "retry": "retry a failed job",
        "retry-all": "retry all failed jobs",
        "promote": "promote a delayed job",
        "promote-all": "promote all delayed jobs",
        "reprocess": "run a completed job again",
        "change-priority": "change a priority",
        "change-delay": "change a delay",
        "update-data": "change the data",
        "clean": "clean",
        "drain": "drain",
        "obliterate": "obliterate",
        "orphans": "remove orphaned jobs",
    },
}
"""Group → row → what it says. The lines of the checklist of the wire format (§32), split."""

BOARD: dict[str, str] = {
    "board-queues": "the list of queues, with counts",
    "board-list": "jobs in each state",
    "board-detail": "one job",
    "board-logs": "its logs",
    "board-flow": "its flow tree",
    "board-schedulers": "schedulers",
    "board-workers": "workers",
    "board-add": "add",
    "board-retry": "retry one",
    "board-retry-all": "retry all",
    "board-promote": "promote one",
    "board-promote-all": "promote all",
    "board-remove": "remove one",
    "board-clean": "clean",
    "board-pause": "pause and resume",
    "board-data": "change the data",
    "board-concurrency": "global concurrency",
    "board-rate-limit": "global rate limit",
    "board-empty": "empty",
    "board-obliterate": "obliterate",
    "board-page": "its pages in a browser: no error, our queue, a job's data",
}
"""The same for Bull Board, whose one direction is from Corral."""

ROWS = {name for group in GROUPS.values() for name in group}


@dataclass(frozen=True)
class Cell:
    """One cell: a row, a direction, a column."""

    row: str
    direction: str
    peer: str


def row(name: str, *directions: str, peer: str = "") -> pytest.MarkDecorator:
    """Register a test for a row, in these directions; `peer` is the column of a test without a `node` fixture."""
    assert name in ROWS, f"there is no row {name!r}"
    assert directions, "in which direction?"
    assert set(directions) <= set(DIRECTIONS), directions
    return pytest.mark.conformance(name, *directions, peer=peer)


def board(*names: str) -> pytest.MarkDecorator:
    """Register a test for rows of Bull Board."""
    assert set(names) <= BOARD.keys(), names
    return pytest.mark.board(*names)


def shown_by(cases: Iterable[str], rows: Mapping[str, str], *directions: str) -> list[Any]:
    """Give each case of a parametrized test that shows a row its mark: `rows` is case → row."""
    return [
        pytest.param(case, marks=[row(rows[case], *directions)] if case in rows else [], id=case)
        for case in cases
    ]
