"""Mistakes in what a worker is given. Each is an error of both type checkers, on its line, and there are no others."""

from __future__ import annotations

from corral import Context, InProcess, InThread, Task, TaskSet, Worker, task
from tests.typing.programs.contract import Invite, PasswordReset, Receipt, send_invite, send_reset


class Tasks(TaskSet, queue="email"):
    """Two tasks."""

    invite: Task[Invite, Receipt] = task("email.sendInvite")
    reset: Task[PasswordReset, None] = task("email.sendPasswordReset")


async def reset(payload: PasswordReset) -> None:
    """Fit."""


async def no_receipt(payload: Invite) -> str:
    """Return something else."""
    return payload.to_email


async def three(payload: Invite, ctx: Context, more: int) -> Receipt:
    """Want too much."""
    return Receipt("")


async def wrong_second(payload: Invite, limit: int) -> Receipt:
    """Want something that is no context."""
    return Receipt("")


def blocking(payload: Invite) -> Receipt:
    """Block."""
    return Receipt("")


Tasks(invite=send_invite)  # error: missing handler
Tasks(invite=reset, reset=reset)  # error: handler with the wrong payload
Tasks(invite=no_receipt, reset=reset)  # error: handler with the wrong result
Tasks(invite=three, reset=reset)  # error: handler with the wrong arity
Tasks(invite=wrong_second, reset=reset)  # error: handler with a second parameter that is no context
Tasks(invite=blocking, reset=reset)  # error: bare sync function
Tasks(invite=InThread(send_reset), reset=reset)  # error: wrong payload inside InThread
Tasks(invite=InProcess(send_reset), reset=reset)  # error: wrong payload inside InProcess
Tasks(invite=send_invite, reset=reset, rest=reset)  # error: misspelt handler
Worker(Tasks)  # error: a class instead of an instance
Tasks(send_invite, reset)  # error: handlers by position


class Wrong(TaskSet, queue="email", atempts=3):  # error: misspelt default
    """An option that there is not."""

    invite: Task[Invite, Receipt] = task("email.sendInvite", tiemout=3)  # error: misspelt option of a task
