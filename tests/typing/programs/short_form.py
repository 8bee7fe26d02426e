"""Correct uses of `Queue`."""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, assert_type

from corral import BlockingContext, Client, Context, InProcess, InThread, Job, JobHandle, Queue, Task, Worker
from tests.typing.programs.contract import Invite, Receipt

emails = Queue("email", attempts=5, timeout=timedelta(minutes=1))


@emails.task
async def welcome(invite: Invite) -> Receipt:
    """Without options."""
    return Receipt(invite.to_email)


@emails.task(name="with-context", priority=2)
async def with_context(invite: Invite, ctx: Context) -> None:
    """With options and context."""
    await ctx.progress(50)


@emails.task(run=InThread, attempts=1)
def in_thread(numbers: list[int]) -> int:
    """In a thread."""
    return sum(numbers)


@emails.task(run=InThread)
def in_thread_with_context(numbers: list[int], ctx: BlockingContext) -> int:
    """In a thread, with the context."""
    ctx.progress(50)
    return sum(numbers)


@emails.task(run=InProcess, timeout=5)
def in_process(text: str) -> bytes:
    """In a process."""
    return text.encode()


@emails.catch_all
async def anything_else(job: Job) -> Any:
    """Serve other names."""
    return job.data


async def use(client: Client, ctx: Context, blocking: BlockingContext) -> None:
    """Enqueue, and call as functions."""
    invite = Invite(invitation_id=1, to_email="a@b.org")
    assert_type(await welcome.enqueue(client, invite), JobHandle[Receipt])
    assert_type(await (await in_thread.enqueue(client, [1])).result(), int)
    assert_type(await welcome(invite), Receipt)
    await assert_type(with_context(invite, ctx), Coroutine[Any, Any, None])
    assert_type(in_thread([1, 2]), int)
    assert_type(in_thread_with_context([1, 2], blocking), int)
    assert_type(in_process("a"), bytes)
    as_task: Task[Invite, Receipt] = welcome
    assert_type((as_task.name, emails.queue), tuple[str, str])
    Worker(emails)
