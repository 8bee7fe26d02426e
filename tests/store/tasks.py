"""Tasks for cron jobs."""

from __future__ import annotations

from pydantic import BaseModel, PositiveInt

from corral import Exponential, Queue, Task, TaskSet, task


class Digest(BaseModel):
    """A payload with something to get wrong."""

    to: str
    days: PositiveInt = 1


class MailTasks(TaskSet, queue="mail"):
    """Two tasks of one queue."""

    digest: Task[Digest, None] = task("mail.digest", attempts=5, backoff=Exponential(2))
    purge: Task[None, int] = task("mail.purge")


def other_queue() -> Queue:
    """A queue whose tasks are functions; one has a name that the queue `mail` has, too."""
    other = Queue("other")

    @other.task(name="mail.purge")
    async def purge(payload: int) -> None: ...

    @other.task(name="other.count")
    async def count(payload: int) -> None: ...

    return other
