"""Mistakes in singletons and effects. Each is an error of both type checkers, on its line."""

from __future__ import annotations

from corral import BlockingContext, Context, Queue, Singleton
from tests.typing.programs.contract import Invite, Receipt
from tests.typing.programs.singletons import charge

queue = Queue("q")

Singleton("a", otherwise="drop")  # error: neither waiting nor skipped
Singleton(7)  # error: a key that is none


@queue.task(singleton=7)  # error: a rule that is none
async def work(_invite: Invite) -> None:
    """Have a wrong option."""


def now() -> Receipt:
    """Not be async."""
    return Receipt("1")


async def pay(_invite: Invite, ctx: Context) -> int:
    """Use effects wrongly."""
    await ctx.once("a", now)  # error: an effect that is not async
    await ctx.once("a", charge())  # error: an effect that was called
    await ctx.once(7, charge)  # error: a key that is no text
    number: int = await ctx.once("a", charge)  # error: the result of another effect
    return number


def pay_in_thread(_invite: Invite, ctx: BlockingContext) -> str:
    """Use effects wrongly in a thread."""
    return ctx.once("a", now)  # error: the result of a blocking effect
