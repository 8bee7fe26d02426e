"""The contract: every job of the product, with what goes in and what comes out.

The API service and the worker both import this file; it imports no handler. What an endpoint enqueues and what a
handler returns is checked by the type checker against it, and once more by Pydantic when the program runs.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from corral import Exponential, Task, TaskSet, task

__all__ = [
    "CleanupTasks",
    "Cutoff",
    "Deleted",
    "Delivery",
    "EmailTasks",
    "Order",
    "PartnerTasks",
    "Person",
    "PhotoTasks",
    "Receipt",
    "Resize",
    "Thumbnail",
]


class Person(BaseModel):
    """Who gets a mail."""

    name: str
    email: str


class Delivery(BaseModel):
    """What the mail server said."""

    message_id: str
    recipient: str


class EmailTasks(TaskSet, queue="email", attempts=5, timeout=15):
    """Mail. The options above are the defaults of its tasks."""

    welcome: Task[Person, Delivery] = task("email.welcome")
    reminder: Task[Person, Delivery] = task("email.reminder", priority=10)


class Cutoff(BaseModel):
    """Sessions that ended before this time may go."""

    before: datetime


class Deleted(BaseModel):
    """What was deleted, and what is left."""

    deleted: int
    kept: int


class CleanupTasks(TaskSet, queue="cleanup"):
    """Housekeeping."""

    expired_sessions: Task[Cutoff, Deleted] = task("cleanup.expiredSessions")


class Resize(BaseModel):
    """A picture, named and not carried: a payload is small."""

    photo: Path
    width: int


class Thumbnail(BaseModel):
    """The smaller picture, and the process that made it."""

    path: Path
    width: int
    height: int
    process: int


class PhotoTasks(TaskSet, queue="photo"):
    """Work for the processor. The timeout is real: the process is killed."""

    resize: Task[Resize, Thumbnail] = task("photo.resize", timeout=20)


class Order(BaseModel):
    """An order that a partner is to hear of."""

    number: str
    partner_url: str


class Receipt(BaseModel):
    """What the partner answered."""

    status: int


class PartnerTasks(TaskSet, queue="partner"):
    """Calls to other companies, whose services have bad days: waits of 0.3, 0.6, 1.2 … seconds between attempts."""

    announce: Task[Order, Receipt] = task(
        "partner.announceOrder", attempts=5, backoff=Exponential(0.3), timeout=10
    )
