"""Mistakes with `Queue`. Each is an error of both type checkers, on its line, and there are no others."""

from __future__ import annotations

from typing import assert_type

from corral import Client, InThread, Queue
from tests.typing.programs.contract import Invite, PasswordReset, Receipt

emails = Queue("email")
misspelt = Queue("email", atempts=5)  # error: misspelt default of a queue


@emails.task
async def welcome(invite: Invite) -> Receipt:
    """Fit."""
    return Receipt(invite.to_email)


def blocking(invite: Invite) -> None:
    """Block."""


async def awaits(invite: Invite) -> None:
    """Await."""


async def three(invite: Invite, ctx: int, more: int) -> None:
    """Want too much."""


emails.task(blocking)  # error: bare sync function (queue)
emails.task(attempts=5)(blocking)  # error: bare sync function (queue, options)
emails.task(three)  # error: arity (queue)
emails.task(atempts=5)(awaits)  # error: misspelt option (queue)
emails.task(run="thread")(blocking)  # error: run= that is no class
emails.task(run=InThread)(three)  # error: arity inside a thread (queue)


async def use(client: Client, invite: Invite) -> None:
    """Enqueue and call."""
    await welcome.enqueue(client, PasswordReset(1))  # error: wrong payload (queue)
    await welcome.enqueue(client, invite, dealy=5)  # error: misspelt option of a call (queue)
    job = await welcome.enqueue(client, invite)
    assert_type(await job.result(), int)  # error: wrong result (queue)
    await welcome(PasswordReset(1))  # error: wrong payload of a direct call
