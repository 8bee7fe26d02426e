"""Correct ways to enqueue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import assert_type

from corral import (
    Admin,
    Client,
    Cron,
    Deduplication,
    Every,
    Exponential,
    Fixed,
    JobHandle,
    Keep,
    RunAll,
    SyncClient,
    SyncJobHandle,
    Task,
)
from tests.typing.programs.contract import EmailTasks, Invite, PasswordReset, Receipt


async def awaited(client: Client) -> None:
    """With the client for asyncio."""
    job = await EmailTasks.send_invite.enqueue(client, Invite(invitation_id=1, to_email="a@b.org"))
    assert_type(job, JobHandle[Receipt])
    receipt = await job.result(timeout=timedelta(seconds=10))
    assert_type(receipt, Receipt)
    assert_type(receipt.message_id, str)
    await EmailTasks.send_report.enqueue(client, {"title": "Sales", "pages": 3})
    await EmailTasks.sum_up.enqueue(client, [1, 2, 3], delay=5)
    await EmailTasks.tick.enqueue(client, None)


def blocking(client: SyncClient) -> None:
    """With the client for Django, Flask and scripts."""
    job = EmailTasks.sum_up.enqueue(client, [1, 2])
    assert_type(job, SyncJobHandle[int])
    assert_type(job.result(timeout=1), int)
    assert_type(EmailTasks.sum_up.enqueue_many(client, [[1], [2]]), list[SyncJobHandle[int]])


async def with_options(client: Client) -> None:
    """Every option, in each of its forms."""
    reset = PasswordReset(user_id=1)
    await EmailTasks.send_reset.enqueue(client, reset, job_id="reset:1", delay=timedelta(hours=24), lifo=True)
    await EmailTasks.send_reset.enqueue(client, reset, run_at=datetime(2030, 1, 1, tzinfo=UTC), attempts=4)
    await EmailTasks.send_reset.enqueue(client, reset, retries=1, backoff=Fixed(2), timeout=None, priority=1)
    await EmailTasks.send_reset.enqueue(client, reset, backoff=Exponential(1, jitter=0.5), timeout=0.5)
    await EmailTasks.send_reset.enqueue(client, reset, backoff=timedelta(seconds=3), durability="fsync")
    await EmailTasks.send_reset.enqueue(client, reset, remove_on_complete=True, remove_on_fail=Keep(count=10))
    await EmailTasks.send_reset.enqueue(
        client, reset, remove_on_complete=10, remove_on_fail=timedelta(days=1)
    )
    await EmailTasks.send_reset.enqueue(client, reset, deduplication="reset-1")
    await EmailTasks.send_reset.enqueue(client, reset, deduplication=Deduplication.throttle("reset-1", ttl=5))


async def again_and_again(client: Client, blocking: SyncClient, admin: Admin) -> None:
    """Schedules, in the short form and by an operator."""
    job = await EmailTasks.sum_up.enqueue(client, [1], repeat=Cron("0 9 * * 1-5", tz="Europe/Berlin"))
    assert_type(job, JobHandle[int])
    assert_type(
        EmailTasks.sum_up.enqueue(blocking, [1], repeat=Every(minutes=5), job_id="sums"), SyncJobHandle[int]
    )
    schedules = admin.queue("email").schedules
    rule = Every(timedelta(hours=1), offset=60, limit=3, missed=RunAll(5), overlap="skip")
    schedule = await schedules.upsert("sums", rule, EmailTasks.sum_up, [1, 2], attempts=5)
    assert_type(schedule.rule, Cron | Every | None)
    await schedules.upsert(
        "other", Cron("@daily", missed="skip"), "other.program", {"any": "json"}, priority=1
    )
    assert_type(await schedules.preview(rule, 3), list[datetime])


async def in_bulk(client: Client, tasks: type[EmailTasks]) -> None:
    """Many in one call, and a task as a value."""
    handles = await EmailTasks.sum_up.enqueue_many(
        client, [[1], [2]], job_id=lambda numbers: f"sum-{len(numbers)}"
    )
    assert_type(handles, list[JobHandle[int]])
    assert_type(tasks.send_invite, Task[Invite, Receipt])
    assert_type(EmailTasks.send_invite.name, str)
