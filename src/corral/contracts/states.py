"""The state machine of a job, stated once: the states and the table of legal moves.

The states keep BullMQ's names; the verbs are Corral's (see ``docs/glossary.md``). Every row names the script
that makes the move, so that table, scripts, tests and documentation can be held against each other.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["FINISHED", "TRANSITIONS", "JobState", "Transition"]


class JobState(StrEnum):
    """Where a job is. The values are BullMQ's, as Node and Bull Board show them."""

    WAITING = "waiting"
    """Ready to run, in line."""
    PRIORITIZED = "prioritized"
    """Ready to run, in the line of those with a priority, which comes after all of ``waiting``."""
    DELAYED = "delayed"
    """Not due yet: enqueued for later, or between two attempts."""
    ACTIVE = "active"
    """Running."""
    WAITING_CHILDREN = "waiting-children"
    """A parent whose children have not finished."""
    COMPLETED = "completed"
    """Its handler returned. Final."""
    FAILED = "failed"
    """It failed for good. Final, unless an operator retries it."""
    UNKNOWN = "unknown"
    """In none of the above: the job does not exist, or its record was damaged."""


FINISHED = frozenset({JobState.COMPLETED, JobState.FAILED})
"""The states in which a job has an outcome."""


class Transition(NamedTuple):
    """One legal move. ``source`` is None for a job that did not exist, ``target`` is None when it ceases to."""

    verb: str
    source: JobState | None
    target: JobState | None
    script: str
    """The script that makes the move: ``<phase>/<verb>_<noun>``, under ``engine/lua``."""


_W, _P, _D, _A = JobState.WAITING, JobState.PRIORITIZED, JobState.DELAYED, JobState.ACTIVE
_C, _F, _WC = JobState.COMPLETED, JobState.FAILED, JobState.WAITING_CHILDREN

TRANSITIONS: tuple[Transition, ...] = (
    Transition("enqueue", None, _W, "enqueue/add_jobs"),
    Transition("enqueue", None, _P, "enqueue/add_jobs"),
    Transition("enqueue", None, _D, "enqueue/add_jobs"),
    Transition("enqueue", None, _W, "enqueue/add_flow"),
    Transition("enqueue", None, _P, "enqueue/add_flow"),
    Transition("enqueue", None, _D, "enqueue/add_flow"),
    Transition("enqueue", None, _WC, "enqueue/add_flow"),
    Transition("claim", _W, _A, "claim/claim_jobs"),
    Transition("claim", _P, _A, "claim/claim_jobs"),
    Transition("claim", _D, _W, "claim/claim_jobs"),  # promotion of what is due, before the claim itself
    Transition("claim", _D, _P, "claim/claim_jobs"),
    Transition("claim", _W, _D, "claim/claim_jobs"),  # set aside: another job holds its singleton key
    Transition("claim", _P, _D, "claim/claim_jobs"),
    Transition("claim", _W, _F, "claim/claim_jobs"),  # skipped: the same, of a task that says so
    Transition("claim", _P, _F, "claim/claim_jobs"),
    Transition("settle", _A, _C, "settle/commit_jobs"),
    Transition("settle", _A, _F, "settle/commit_jobs"),
    Transition("settle", _A, _D, "settle/commit_jobs"),  # retried later, snoozed, or parked
    Transition("settle", _A, _W, "settle/commit_jobs"),  # retried at once, or handed back
    Transition("settle", _A, _P, "settle/commit_jobs"),
    Transition("settle", _A, _WC, "settle/commit_jobs"),
    Transition("settle", _WC, _W, "settle/commit_jobs"),  # a parent, when its last child ends
    Transition("settle", _WC, _P, "settle/commit_jobs"),
    Transition("settle", _WC, _D, "settle/commit_jobs"),
    Transition("recover", _A, _W, "recover/recover_stalled"),
    Transition("recover", _A, _P, "recover/recover_stalled"),
    Transition("recur", None, _W, "recur/upsert_schedule"),
    Transition("recur", None, _P, "recur/upsert_schedule"),
    Transition("recur", None, _D, "recur/upsert_schedule"),
    Transition("recur", _W, None, "recur/remove_schedule"),
    Transition("recur", _P, None, "recur/remove_schedule"),
    Transition("recur", _D, None, "recur/remove_schedule"),
    Transition("control", _W, None, "control/remove_job"),
    Transition("control", _P, None, "control/remove_job"),
    Transition("control", _D, None, "control/remove_job"),
    Transition("control", _WC, None, "control/remove_job"),
    Transition("control", _C, None, "control/remove_job"),
    Transition("control", _F, None, "control/remove_job"),
    Transition("control", _W, _F, "control/cancel_job"),
    Transition("control", _P, _F, "control/cancel_job"),
    Transition("control", _D, _F, "control/cancel_job"),
    Transition("control", _WC, _F, "control/cancel_job"),
    Transition("control", _W, None, "control/drain_jobs"),
    Transition("control", _P, None, "control/drain_jobs"),
    Transition("control", _D, None, "control/drain_jobs"),
    Transition("control", _C, None, "control/clean_finished"),
    Transition("control", _F, None, "control/clean_finished"),
    Transition("control", _F, None, "control/remove_failed"),
    Transition("control", _P, None, "control/clean_unstarted"),
    Transition("control", _D, None, "control/clean_unstarted"),
    Transition("control", _W, None, "control/clean_listed"),
    Transition("control", _A, None, "control/clean_listed"),  # one that lost its lock
    *(
        Transition("control", state, None, "control/obliterate_jobs")
        for state in (_W, _P, _D, _A, _WC, _C, _F)
    ),
    Transition("control", _W, None, "control/remove_children"),
    Transition("control", _P, None, "control/remove_children"),
    Transition("control", _D, None, "control/remove_children"),
    Transition("control", _WC, None, "control/remove_children"),
    Transition("control", _C, None, "control/remove_children"),
    Transition("control", _F, None, "control/remove_children"),
    Transition("control", _F, _W, "control/retry_jobs"),
    Transition("control", _F, _P, "control/retry_jobs"),
    Transition("control", _C, _W, "control/retry_jobs"),
    Transition("control", _C, _P, "control/retry_jobs"),
    *(
        Transition("control", source, target, "control/replay_job")
        for source in (_F, _C)
        for target in (_W, _P)
    ),
    Transition("control", _F, _W, "control/retry_matching"),
    Transition("control", _F, _P, "control/retry_matching"),
    Transition("control", _C, _W, "control/retry_matching"),
    Transition("control", _C, _P, "control/retry_matching"),
    Transition("control", _D, _W, "control/promote_jobs"),
    Transition("control", _D, _P, "control/promote_jobs"),
    Transition("control", _D, _W, "control/promote_page"),
    Transition("control", _D, _P, "control/promote_page"),
    Transition("control", _W, _P, "control/set_priority"),
    Transition("control", _P, _W, "control/set_priority"),
)
"""Every move that Corral makes, one row each. Not moves of their own: settling deletes finished jobs that are not kept,
enqueueing puts a new job in the place of a delayed one (``replace``) or fails an older one (``supersedes``), and
claiming an iteration of a schedule makes the next one and does what the schedule's policies say about those before."""
