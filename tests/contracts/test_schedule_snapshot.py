"""A stored schedule, read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from corral.contracts.schedule import Every
from corral.contracts.schedule_snapshot import Schedule

NINE = datetime(2025, 6, 1, 9, tzinfo=UTC)


def schedule(**rest: Any) -> Schedule:
    """One that runs every minute, next at nine."""
    rule = Every(minutes=1, offset=0, limit=rest.pop("limit", None))
    return Schedule(**{"id": "often", "queue": "mail", "name": "x", "rule": rule, "next_run": NINE, **rest})


def test_its_next_job_has_the_id_that_bullmq_gives_it() -> None:
    """``repeat:<schedule>:<ms>``."""
    assert schedule().next_job_id == "repeat:often:1748768400000"


def test_upcoming_begins_with_the_next_run() -> None:
    """The next run and those behind it."""
    assert [run.minute for run in schedule().upcoming(3)] == [0, 1, 2]
    assert schedule().upcoming(0) == []


def test_upcoming_ends_with_the_limit() -> None:
    """As many as ``limit`` leaves, the next one among them."""
    limited = schedule(limit=5, run_number=4)
    assert limited.runs_left == 2
    assert len(limited.upcoming(10)) == 2


def test_without_a_next_run_nothing_is_upcoming() -> None:
    """A schedule that has ended has none, and one whose rule cannot be read may have any."""
    assert schedule(next_run=None).upcoming(3) == []
    assert schedule(next_run=None).next_job_id is None
    assert schedule(rule=None).upcoming(3) == []
