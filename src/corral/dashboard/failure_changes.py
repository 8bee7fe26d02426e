"""What can be done to failed jobs of one cause: run all of them again, or remove them."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from corral.contracts.failure import FailureKind
from corral.dashboard.changes import Change, Confirmation, Form, text_in
from corral.dashboard.pages import see, segment
from corral.http.action import Action
from corral.http.bounded import within_time

__all__ = ["FAILURE_CHANGES"]

COUNTING: Final = 3.0
"""Seconds for the number that is asked about."""


async def retry(form: Form) -> Response | Confirmation:
    """Run them again, each once."""
    return await _carry(form, Action.RETRY_JOBS)


async def remove(form: Form) -> Response | Confirmation:
    """Remove them with all that they have."""
    return await _carry(form, Action.REMOVE_JOBS)


async def _carry(form: Form, action: Action) -> Response | Confirmation:
    queue = await form.desk.queue(segment(form.request, "queue"))
    failures, fingerprint, kind = (
        queue.failures,
        text_in(form, "fingerprint", 100),
        _kind(text_in(form, "kind")),
    )
    again = action is Action.RETRY_JOBS
    if not form.confirmed:
        counted = await within_time(
            lambda report: failures.count(fingerprint, kind, on_progress=report), seconds=COUNTING
        )
        which = "of this cause" if fingerprint else f"that are {kind}" if kind else "of every cause"
        question = (
            f"{'Run' if again else 'Remove'} the failed jobs of queue {queue.name} {which}{' again' * again}?"
        )
        return Confirmation(question, "Run them again" if again else "Remove them", counted.count)
    anew = bool(text_in(form, "anew"))
    async with form.operator.acting(action, queue.name, fingerprint=fingerprint, kind=kind) as detail:
        outcome = await within_time(
            lambda report: (
                failures.retry(fingerprint, kind, reset_attempts=anew, on_progress=report)
                if again
                else failures.remove(fingerprint, kind, on_progress=report)
            )
        )
        detail.update(outcome.model_dump())
    number = outcome.count if outcome.finished else outcome.looked_at
    said = "retried" if again else "removed"
    return see(form.request, "queues", queue.name, "failures", outcome=said, number=number)


def _kind(text: str) -> FailureKind | None:
    return FailureKind(text) if text in set(FailureKind) else None


FAILURE_CHANGES: Final = [
    Change("/queues/{queue}/failures/retry", Action.RETRY_JOBS, retry),
    Change("/queues/{queue}/failures/remove", Action.REMOVE_JOBS, remove),
]
