"""What a worker can be told: to claim nothing more, to claim again, and how much it runs at once."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from corral.admin.worker import WorkerAdmin
from corral.dashboard.changes import Change, Confirmation, Form, text_in
from corral.dashboard.formats import count
from corral.dashboard.pages import link_to, see, segment
from corral.http.action import Action
from corral.http.problem import Problem

__all__ = ["WORKER_CHANGES"]


async def drain(form: Form) -> Response | Confirmation:
    """Let it claim nothing more."""
    worker = await _worker(form)
    if not form.confirmed:
        hand = sum(record.jobs_in_hand for record in await worker.records())
        return _question(
            form,
            f"Drain worker {worker.name}?",
            "Drain it",
            f"It claims nothing more, ends what it has in hand ({count(hand)} job{'' if hand == 1 else 's'}), and then"
            " stays idle until it is resumed or started anew.",
        )
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
    records = await worker.records()
    # What it refuses anyway is not asked about.
    if not form.confirmed and int(text) and all(not queue or queue in record.queues for record in records):
        now = " or ".join(sorted({count(record.concurrency.get(queue, 0)) for record in records}))
        return _question(
            form,
            f"Change how much worker {worker.name} runs at once?",
            f"Let it run {count(int(text))}",
            f"Of queue {queue} it runs at most {now} at once now, and {count(int(text))} from then on, until it ends."
            " Jobs that run beyond that go on."
            if queue
            else f"Of each of its queues it runs at most {count(int(text))} at once from then on, until it ends.",
        )
    async with form.operator.acting(
        Action.SET_WORKER, worker.name, instance=worker.instance, queue=queue, concurrency=int(text)
    ):
        await worker.set_concurrency(int(text), queue or None)
    return see(form.request, "workers", outcome="resized")


def _question(form: Form, question: str, button: str, consequence: str) -> Confirmation:
    back = link_to(form.request, "workers")
    return Confirmation(question, button, consequence=consequence, back=back)


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
