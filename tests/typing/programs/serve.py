"""Correct ways to implement tasks."""

from __future__ import annotations

import functools
from collections.abc import Coroutine
from typing import Any

from corral import BlockingContext, Context, InProcess, InThread, Worker
from tests.typing.programs.contract import (
    EmailTasks,
    Invite,
    PasswordReset,
    Receipt,
    Report,
    send_invite,
    send_report,
    send_reset,
    sum_up,
    tick,
)


class Mailer:
    """A service whose methods are handlers."""

    async def send_invite(self, invite: Invite, ctx: Context) -> Receipt:
        """Use the context."""
        await ctx.progress({"sent": ctx.attempt})
        await ctx.log("sent")
        ctx.logger.info("sent", to=invite.to_email)
        await EmailTasks.send_reset.enqueue(ctx.client, PasswordReset(user_id=1))
        return Receipt("" if ctx.cancelled.is_set() else ctx.job_id)

    async def __call__(self, report: Report) -> int:
        """Be a handler itself."""
        return report["pages"]


class Model(Invite):
    """A payload's base type is taken too."""


async def any_invite(invite: Invite | Model) -> Receipt:
    """A handler that takes more than it has to."""
    return Receipt(invite.to_email)


async def with_prefix(prefix: str, invite: Invite) -> Receipt:
    """A handler that is bound with partial."""
    return Receipt(prefix + invite.to_email)


def coroutine(numbers: list[int]) -> Coroutine[Any, Any, int]:
    """A function that returns a coroutine."""
    return sum_up(numbers)


def slow_reset(reset: PasswordReset, ctx: BlockingContext) -> None:
    """Block, with the context."""


tasks = EmailTasks(
    send_invite=Mailer().send_invite,
    send_reset=InThread(send_reset),
    send_report=Mailer(),
    sum_up=coroutine,
    tick=tick,
)
EmailTasks(
    send_invite=functools.partial(with_prefix, "to:"),
    send_reset=InProcess(send_reset),
    send_report=send_report,
    sum_up=lambda numbers: sum_up(numbers),
    tick=tick,
)
EmailTasks(
    send_invite=any_invite,
    send_reset=InThread(slow_reset),
    send_report=send_report,
    sum_up=sum_up,
    tick=tick,
)
EmailTasks(
    send_invite=send_invite,
    send_reset=InThread(slow_reset),
    send_report=send_report,
    sum_up=sum_up,
    tick=tick,
)
Worker(tasks)
