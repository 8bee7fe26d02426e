"""What can be done to a queue."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from starlette.responses import Response

from corral.contracts.rate_limit import RateLimit
from corral.contracts.states import FINISHED, JobState
from corral.dashboard.changes import Change, Confirmation, Form, text_in
from corral.dashboard.pages import see, segment
from corral.http.action import Action
from corral.http.bounded import within_time
from corral.http.problem import Problem

__all__ = ["QUEUE_CHANGES"]


async def pause(form: Form) -> Response:
    """Hand out no more jobs."""
    name = segment(form.request, "queue")
    queue = await form.desk.queue(name)
    async with form.operator.acting(Action.PAUSE_QUEUE, name):
        await queue.pause()
    return see(form.request, "queues", name, outcome="paused")


async def resume(form: Form) -> Response:
    """Hand out jobs again."""
    name = segment(form.request, "queue")
    queue = await form.desk.queue(name)
    async with form.operator.acting(Action.RESUME_QUEUE, name):
        await queue.resume()
    return see(form.request, "queues", name, outcome="resumed")


async def drain(form: Form) -> Response | Confirmation:
    """Remove what waits."""
    name, delayed = segment(form.request, "queue"), bool(text_in(form, "delayed"))
    queue = await form.desk.queue(name)
    if not form.confirmed:
        counts = await queue.counts()
        number = counts[JobState.WAITING] + counts[JobState.PRIORITIZED] + delayed * counts[JobState.DELAYED]
        return Confirmation(f"Remove the jobs of queue {name} that wait to run?", "Remove them", number)
    async with form.operator.acting(Action.DRAIN_QUEUE, name, delayed=delayed) as detail:
        outcome = await within_time(lambda report: queue.drain(delayed=delayed, on_progress=report))
        detail.update(outcome.model_dump())
    return see(form.request, "queues", name, outcome="removed", number=outcome.count or outcome.looked_at)


async def clean(form: Form) -> Response | Confirmation:
    """Remove the finished jobs of one state that are old enough."""
    name, state, days = segment(form.request, "queue"), text_in(form, "state"), text_in(form, "days")
    queue = await form.desk.queue(name)
    if state not in FINISHED:
        raise Problem(422, "not-finished", "give completed or failed")
    age = timedelta(days=_number(days, "days") if days else 0)
    if not form.confirmed:
        number = (await queue.counts())[JobState(state)] if not age else None
        old = f" that ended more than {age.days} days ago" if age else ""
        return Confirmation(f"Remove the {state} jobs of queue {name}{old}?", "Remove them", number)
    async with form.operator.acting(Action.CLEAN_QUEUE, name, state=state, days=age.days) as detail:
        outcome = await within_time(lambda report: queue.clean(state, older_than=age, on_progress=report))
        detail.update(outcome.model_dump())
    return see(
        form.request,
        "queues",
        name,
        state=state,
        outcome="removed",
        number=outcome.count or outcome.looked_at,
    )


async def obliterate(form: Form) -> Response | Confirmation:
    """Remove the queue."""
    name = segment(form.request, "queue")
    queue = await form.desk.queue(name)
    if not form.confirmed:
        number = sum((await queue.counts()).values())
        return Confirmation(
            f"Remove queue {name} with all its jobs, schedules and limits?", "Remove the queue", number
        )
    async with form.operator.acting(Action.OBLITERATE_QUEUE, name):
        await queue.obliterate()
    form.desk.queue_names.forget()
    return see(form.request)


async def limit(form: Form) -> Response:
    """Set how many jobs run at once and how fast they start; an empty field takes the limit away."""
    name = segment(form.request, "queue")
    queue = await form.desk.queue(name)
    most, starts, seconds = text_in(form, "concurrency"), text_in(form, "starts"), text_in(form, "seconds")
    concurrency = _number(most, "concurrency") if most else None
    rate = RateLimit(_number(starts, "starts"), per=_number(seconds or "1", "seconds")) if starts else None
    async with form.operator.acting(
        Action.SET_QUEUE, name, concurrency=concurrency, starts=starts, seconds=seconds
    ):
        await queue.set_concurrency(concurrency)
        await queue.set_rate_limit(rate)
    return see(form.request, "queues", name, outcome="limited")


def _number(text: str, field: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and int(text) > 0):
        raise Problem(422, "not-a-number", f"{field}: give a whole number from 1")
    return int(text)


QUEUE_CHANGES: Final = [
    Change("/queues/{queue}/pause", Action.PAUSE_QUEUE, pause),
    Change("/queues/{queue}/resume", Action.RESUME_QUEUE, resume),
    Change("/queues/{queue}/drain", Action.DRAIN_QUEUE, drain),
    Change("/queues/{queue}/clean", Action.CLEAN_QUEUE, clean),
    Change("/queues/{queue}/obliterate", Action.OBLITERATE_QUEUE, obliterate),
    Change("/queues/{queue}/limit", Action.SET_QUEUE, limit),
]
