"""Correct singletons and effects."""

from __future__ import annotations

from datetime import timedelta

from corral import BlockingContext, Context, Queue, Singleton, Task, TaskSet, task
from tests.typing.programs.contract import Invite, Receipt

queue = Queue("q", singleton=True)


class Tasks(TaskSet, queue="tasks"):
    """Every form of the option."""

    all: Task[Invite, None] = task("all", singleton=True)
    field: Task[Invite, None] = task("field", singleton="to_email")
    function: Task[Invite, None] = task("function", singleton=lambda invite: invite.invitation_id)
    skipped: Task[Invite, None] = task("skipped", singleton=Singleton("to_email", otherwise="skip"))


async def charge() -> Receipt:
    """Pay."""
    return Receipt("1")


@queue.task(singleton=Singleton(otherwise="skip"))
async def pay(invite: Invite, ctx: Context) -> Receipt:
    """Return what the effect returns."""
    first: Receipt = await ctx.once("a", charge)
    number: int = await ctx.once("b", lambda: count(invite.to_email), keep=timedelta(days=3))
    return first if number else await ctx.once(f"c:{number}", charge, keep=60)


async def count(text: str) -> int:
    """Give a number."""
    return len(text)


def pay_in_thread(_invite: Invite, ctx: BlockingContext) -> int:
    """Return what a blocking effect returns."""
    return ctx.once("a", lambda: 5)
