"""What can be done to jobs: to those that were chosen, to one, to all that match."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import Response

from corral.admin.batch import Batch
from corral.admin.bulk import JobFilter
from corral.admin.queue import QueueAdmin
from corral.contracts.states import FINISHED, JobState
from corral.dashboard.changes import Change, Confirmation, Form, ids_in, text_in
from corral.dashboard.pages import see, segment
from corral.http.action import Action
from corral.http.bounded import within_time
from corral.http.problem import Problem

__all__ = ["JOB_CHANGES"]

Verb = Callable[[QueueAdmin, list[str]], Awaitable[Batch]]

CHOSEN: Final[dict[Action, tuple[str, str, str, Verb]]] = {
    Action.RETRY_JOBS: (
        "retry", "Run these jobs again?", "retried",
        lambda queue, ids: queue.jobs.retry_many(ids),
    ),
    Action.PROMOTE_JOBS: (
        "promote", "Run these jobs now?", "promoted",
        lambda queue, ids: queue.jobs.promote_many(ids),
    ),
    Action.CANCEL_JOBS: (
        "cancel", "Cancel these jobs? They fail for good; one that runs is told to stop.", "cancelled",
        lambda queue, ids: queue.jobs.cancel_many(ids),
    ),
    Action.REMOVE_JOBS: (
        "remove", "Remove these jobs, and those below them?", "removed",
        lambda queue, ids: queue.jobs.remove_many(ids),
    ),
}  # fmt: skip
"""By action: the end of the path, the question before it is done to several, what is said then, and the verb."""


def _of_chosen(action: Action) -> Change:
    word, question, outcome, verb = CHOSEN[action]

    async def carry(form: Form) -> Response | Confirmation:
        name, ids = segment(form.request, "queue"), ids_in(form)
        queue = await form.desk.queue(name)
        if (len(ids) > 1 or action is Action.REMOVE_JOBS) and not form.confirmed:
            return Confirmation(question, word.capitalize(), len(ids))
        async with form.operator.acting(action, name, ids=ids) as detail:
            batch = await verb(queue, ids)
            detail.update(done=len(batch.done), refused=len(batch.refused))
        if len(ids) > 1:
            return see(
                form.request,
                "queues",
                name,
                state=text_in(form, "state"),
                outcome=outcome,
                number=len(batch.done),
            )
        batch.check_one()
        if action is Action.REMOVE_JOBS:
            return see(form.request, "queues", name, outcome=outcome, number=1)
        return see(form.request, "queues", name, "jobs", ids[0], outcome=outcome)

    return Change(f"/queues/{{queue}}/jobs-{word}", action, carry)


async def cancel(form: Form) -> Response | Confirmation:
    """Cancel one job, with a reason, and those below it when asked."""
    name, job_id = segment(form.request, "queue"), segment(form.request, "job")
    queue = await form.desk.queue(name)
    reason, children = text_in(form, "reason"), bool(text_in(form, "children"))
    async with form.operator.acting(
        Action.CANCEL_JOBS, f"{name}/{job_id}", reason=reason, children=children
    ) as detail:
        ended = detail["ended"] = await queue.jobs.cancel(job_id, reason, children=children)
    return see(form.request, "queues", name, "jobs", job_id, outcome="cancelled" if ended else "cancelling")


async def retry_matching(form: Form) -> Response | Confirmation:
    """Run all finished jobs of a state again that match."""
    name, state = segment(form.request, "queue"), text_in(form, "state") or JobState.FAILED.value
    queue = await form.desk.queue(name)
    if state not in FINISHED:
        raise Problem(422, "not-finished", "give completed or failed")
    where = JobFilter(name=text_in(form, "name"), reason=text_in(form, "reason"))
    if not form.confirmed:
        counted = await within_time(
            lambda report: queue.jobs.count_matching(state, where=where, on_progress=report), seconds=3
        )
        question = f"Run {state} jobs of queue {name} again?"
        return Confirmation(question, "Run them again", counted.count if counted.finished else None)
    async with form.operator.acting(
        Action.RETRY_JOBS, name, state=state, name=where.name, reason=where.reason
    ) as detail:
        outcome = await within_time(
            lambda report: queue.jobs.retry_all(JobState(state), where=where, on_progress=report)
        )
        detail.update(outcome.model_dump())
    return see(
        form.request,
        "queues",
        name,
        state=state,
        outcome="retried",
        number=outcome.count or outcome.looked_at,
    )


JOB_CHANGES: Final = [
    *map(_of_chosen, CHOSEN),
    Change("/queues/{queue}/jobs/{job}/cancel", Action.CANCEL_JOBS, cancel),
    Change("/queues/{queue}/retry-matching", Action.RETRY_JOBS, retry_matching),
]
