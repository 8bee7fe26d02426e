"""Correct ways to enqueue through an outbox."""

from __future__ import annotations

from typing import assert_type

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from corral import OutboxReceipt
from corral.store.outbox import outbox
from tests.typing.programs.contract import EmailTasks, Invite


async def awaited(session: AsyncSession) -> None:
    """With an asynchronous session."""
    invite = Invite(invitation_id=1, to_email="a@b.org")
    receipt = await EmailTasks.send_invite.enqueue(outbox(session), invite, job_id="invite:1:mail", delay=5)
    assert_type(receipt, OutboxReceipt)
    assert_type(await EmailTasks.sum_up.enqueue_many(outbox(session), [[1], [2]]), list[OutboxReceipt])


def blocking(session: Session) -> None:
    """With a blocking one."""
    assert_type(EmailTasks.sum_up.enqueue(outbox(session), [1, 2]), OutboxReceipt)
    assert_type(EmailTasks.sum_up.enqueue_many(outbox(session), [[1]]), list[OutboxReceipt])
