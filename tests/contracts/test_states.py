"""The transition table: one row per legal move, in BullMQ's words for states."""

from __future__ import annotations

from corral.contracts.states import FINISHED, TRANSITIONS, JobState


def test_states_have_the_names_of_bullmq() -> None:
    """Node, Bull Board and Corral call a state by the same word."""
    assert [str(state) for state in JobState] == [
        "waiting", "prioritized", "delayed", "active", "waiting-children", "completed", "failed", "unknown",
    ]  # fmt: skip


def test_no_move_is_listed_twice() -> None:
    """A row says something that no other row says."""
    assert len(set(TRANSITIONS)) == len(TRANSITIONS)


def test_a_script_belongs_to_the_phase_of_its_verb() -> None:
    """The verb of a row is the folder of its script."""
    assert [row for row in TRANSITIONS if not row.script.startswith(f"{row.verb}/")] == []


def test_a_job_begins_by_being_enqueued_and_ends_by_removal() -> None:
    """Enqueue makes jobs, and so does a schedule; control removes them, and a schedule its pending one."""
    assert {row.verb for row in TRANSITIONS if row.source is None} == {"enqueue", "recur"}
    assert {row.verb for row in TRANSITIONS if row.target is None} == {"control", "recur"}


def test_only_a_running_job_reaches_an_outcome() -> None:
    """Completed and failed are entered from active, by settling; failed also by a job that is skipped, or cancelled."""
    into = {(row.verb, row.source) for row in TRANSITIONS if row.target in FINISHED}
    skipped = {("claim", JobState.WAITING), ("claim", JobState.PRIORITIZED)}
    unstarted = (JobState.WAITING, JobState.PRIORITIZED, JobState.DELAYED, JobState.WAITING_CHILDREN)
    cancelled = {("control", state) for state in unstarted}
    assert into == {("settle", JobState.ACTIVE)} | skipped | cancelled
    assert not any(row.verb != "settle" for row in TRANSITIONS if row.target is JobState.COMPLETED)


def test_only_a_claim_starts_a_job() -> None:
    """Active is entered by claiming, from the two lines of ready jobs."""
    into = {(row.verb, row.source) for row in TRANSITIONS if row.target is JobState.ACTIVE}
    assert into == {("claim", JobState.WAITING), ("claim", JobState.PRIORITIZED)}


def test_a_running_job_is_not_removed() -> None:
    """Out of active a job goes only with its whole queue, or when its worker has lost it."""
    removals = {row.script for row in TRANSITIONS if row.source is JobState.ACTIVE and row.target is None}
    assert removals == {"control/obliterate_jobs", "control/clean_listed"}
