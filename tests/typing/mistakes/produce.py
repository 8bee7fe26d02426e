"""Mistakes in producers. Each is an error of both type checkers, on its line, and there are no other errors."""

from __future__ import annotations

from corral import Client, Cron, Every, SyncClient
from tests.typing.programs.contract import EmailTasks, Invite, PasswordReset

invite = Invite(invitation_id=1, to_email="a@b.org")


def later(made: int, error: BaseException) -> float:
    """Make a backoff that only the worker can call."""
    return made


def count(number: int) -> None:
    """Take a number."""


async def produce(client: Client) -> None:
    """With the client for asyncio."""
    await EmailTasks.send_invit.enqueue(client, invite)  # error: misspelt task
    await EmailTasks.send_invite.enqueue(client, PasswordReset(1))  # error: wrong payload
    await EmailTasks.send_invite.enqueue(client)  # error: payload missing
    await EmailTasks.send_reset.enqueue(client, PasswordReset(user_id="1"))  # error: wrong type of a field
    await EmailTasks.send_invite.enqueue(client, Invite(invitation_id=1))  # error: field missing
    await EmailTasks.send_invite.enqueue(client, invite, dealy=5)  # error: misspelt option
    await EmailTasks.send_invite.enqueue(client, invite, attempts="5")  # error: wrong type of an option
    await EmailTasks.send_invite.enqueue(invite)  # error: client missing
    job = await EmailTasks.send_invite.enqueue(client, invite)
    count(await job.result())  # error: wrong result
    await EmailTasks.sum_up.enqueue(client, ["1", "2"])  # error: wrong element of a list
    await EmailTasks.send_report.enqueue(client, {"title": "Sales"})  # error: field missing (TypedDict)
    await EmailTasks.sum_up.enqueue_many(client, [1, 2])  # error: wrong payload (many)
    await EmailTasks.sum_up.enqueue_many(client, [[1]], job_id="x")  # error: one job id for many
    await EmailTasks.sum_up.enqueue(client, ["1"], repeat=Every(5))  # error: wrong payload of a schedule
    await EmailTasks.sum_up.enqueue(client, [1], repeat="@daily")  # error: a pattern that is no rule
    await EmailTasks.sum_up.enqueue_many(client, [[1]], repeat=Every(5))  # error: a schedule of many
    Cron("@daily", missed="all")  # error: a policy that is none


def blocking(client: SyncClient) -> None:
    """With the client for Django, Flask and scripts."""
    EmailTasks.send_invite.enqueue(client, PasswordReset(1))  # error: wrong payload (blocking)
    len(EmailTasks.sum_up.enqueue(client, [1]).result())  # error: wrong result (blocking)
    EmailTasks.send_invite.enqueue(client, invite, backoff=later)  # error: a function as backoff of one job
