"""Mistakes with an outbox. Each is an error of both type checkers, on its line, and there are no other errors."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session

from corral.store.outbox import outbox
from tests.typing.programs.contract import EmailTasks, PasswordReset


async def awaited(session: AsyncSession) -> None:
    """With an asynchronous session."""
    await EmailTasks.sum_up.enqueue(session, [1])  # error: a session instead of its outbox
    await EmailTasks.sum_up.enqueue(outbox(session), PasswordReset(1))  # error: wrong payload in an outbox
    await EmailTasks.sum_up.enqueue(outbox(session), [1], dealy=5)  # error: misspelt option in an outbox
    receipt = await EmailTasks.sum_up.enqueue(outbox(session), [1])
    await receipt.result()  # error: the result of what has not been committed
    outbox("sqlite:///shop.db")  # error: no session


def blocking(session: Session) -> None:
    """With a blocking one."""
    EmailTasks.sum_up.enqueue(outbox(session), ["1"])  # error: wrong element of a list in an outbox
    EmailTasks.sum_up.enqueue(outbox(session), [1]).result()  # error: the same of a blocking session
