"""What a worker can be told: to claim nothing more, to claim again, and how much it runs at once."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from corral.admin.worker import WorkerAdmin
from corral.dashboard.changes import Change, Confirmation, Form, text_in
from corral.dashboard.pages import see, segment
from corral.http.action import Action
from corral.http.problem import Problem

__all__ = ["WORKER_CHANGES"]


async def drain(form: Form) -> Response | Confirmation:
    """Let it claim nothing more."""
    worker = await _worker(form)
    async with form.operator.acting(Action.DRAIN_WORKER, worker.name, instance=worker.instance):
        await worker.drain()
    return see(form.request, "workers", outcome="draining")


async def resume(form: Form) -> Response | Confirmation:
    """Let it claim again."""
    worker = await _worker(form)
    async with form.operator.acting(Action.RESUME_WORKER, worker.name, instance=worker.instance):
        await worker.resume()
    return see(form.request, "workers", outcome="working")


async def resize(form: Form) -> Response | Confirmation:
    """Let it run so many jobs of a queue at once."""
    worker, queue, text = await _worker(form), text_in(form, "queue"), text_in(form, "concurrency", 20)
    if not (text.isascii() and text.isdecimal()):
        raise Problem(422, "not-a-number", "jobs at once: give a whole number from 1")
    async with form.operator.acting(
        Action.SET_WORKER, worker.name, instance=worker.instance, queue=queue, concurrency=int(text)
    ):
        await worker.set_concurrency(int(text), queue or None)
    return see(form.request, "workers", outcome="resized")


async def _worker(form: Form) -> WorkerAdmin:
    return form.desk.admin.worker(
        segment(form.request, "worker"),
        instance=text_in(form, "instance", 200) or None,
        known=await form.desk.queue_names.read(),
    )


WORKER_CHANGES: Final = [
    Change("/workers/{worker}/drain", Action.DRAIN_WORKER, drain),
    Change("/workers/{worker}/resume", Action.RESUME_WORKER, resume),
    Change("/workers/{worker}/concurrency", Action.SET_WORKER, resize),
]
