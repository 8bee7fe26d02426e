"""A contract as users write it: the tasks that the other programs of this folder share."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel
from typing_extensions import TypedDict

from corral import Task, TaskSet, task


class Invite(BaseModel):
    """A Pydantic model as payload."""

    invitation_id: int
    to_email: str


@dataclass
class PasswordReset:
    """A dataclass as payload."""

    user_id: int


class Report(TypedDict):
    """A TypedDict as payload."""

    title: str
    pages: int


@dataclass(frozen=True)
class Receipt:
    """A result."""

    message_id: str


class EmailTasks(TaskSet, queue="email", attempts=5):
    """One task for each kind of payload."""

    send_invite: Task[Invite, Receipt] = task("email.sendInvite", timeout=30)
    send_reset: Task[PasswordReset, None] = task("email.sendPasswordReset", retries=2)
    send_report: Task[Report, int] = task("email.sendReport", priority=3)
    sum_up: Task[list[int], int] = task("email.sumUp", remove_on_complete=100)
    tick: Task[None, None] = task("email.tick", backoff=None)


async def send_invite(invite: Invite) -> Receipt:
    """Take the payload."""
    return Receipt(invite.to_email)


async def send_report(report: Report) -> int:
    """Take a TypedDict."""
    return report["pages"]


async def sum_up(numbers: list[int]) -> int:
    """Take plain JSON."""
    return sum(numbers)


async def tick(payload: None) -> None:
    """Take nothing."""


def send_reset(reset: PasswordReset) -> None:
    """Block."""
