"""Tasks that the API of the tests knows."""

from __future__ import annotations

from pydantic import BaseModel

from corral import Queue, Task, TaskSet, task


class Invite(BaseModel):
    """What an invitation needs."""

    to: str
    number: int = 0


class EmailTasks(TaskSet, queue="http-email"):
    """Two tasks of one queue."""

    send_invite: Task[Invite, None] = task("email.sendInvite")
    ping: Task[None, None] = task("ping")


photos = Queue("http-photos")


@photos.task
async def ping(payload: None) -> None:
    """Has the name of another queue's task."""


ALL_TASKS = (EmailTasks, photos)
