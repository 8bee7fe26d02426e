"""The contract: what mails there are. A program that enqueues needs no more than this."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, EmailStr, Field

from corral import Exponential, Secret, Task, TaskSet, task

__all__ = [
    "Email",
    "EmailTasks",
    "FromTemplate",
    "Invitation",
    "Notification",
    "PasswordReset",
    "Sent",
    "Welcome",
]

Line = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*$")]
"""Text of one line: nothing in it can begin another header."""

Link = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s]+$")]
"""What may stand behind a button."""

DEFAULT_PRIORITY: Final = 10


class Email(BaseModel):
    """A mail as it is to be sent."""

    to: EmailStr | Annotated[list[EmailStr], Field(min_length=1, max_length=100)]
    subject: Line
    body: str
    html: str | None = None
    reply_to: EmailStr | None = None


class FromTemplate(BaseModel):
    """A mail whose words are a template's: a subclass has what it needs for them."""

    to: EmailStr


class Welcome(FromTemplate):
    """For somebody who has just joined."""

    name: Line
    product: Line
    link: Link


class Invitation(FromTemplate):
    """For somebody who is asked to join."""

    inviter: Line
    organisation: Line
    link: Annotated[Link, Secret()]
    expires_at: datetime


class PasswordReset(FromTemplate):
    """For somebody who cannot log in. The link is worth an account: it is not shown to operators."""

    name: Line
    link: Annotated[Link, Secret()]
    minutes: int = Field(default=60, gt=0, description="How long the link is good for.")


class Notification(FromTemplate):
    """Something has happened."""

    title: Line
    text: str
    link: Link | None = None


class Sent(BaseModel):
    """What the mail server took. ``refused``: recipients that it did not take while it took others, each with the
    reply."""

    message_id: str
    refused: dict[str, str] = {}


class EmailTasks(
    TaskSet,
    queue="email",
    attempts=6,
    backoff=Exponential(30, jitter=0.2),
    timeout=120,
    priority=DEFAULT_PRIORITY,  # jobs without a priority run before all others: so that 1 is the most urgent
):
    """Mails: the plain one, and those made from templates."""

    send: Task[Email, Sent] = task("email.send")
    welcome: Task[Welcome, Sent] = task("email.welcome")
    invitation: Task[Invitation, Sent] = task("email.invitation")
    password_reset: Task[PasswordReset, Sent] = task("email.passwordReset")
    notification: Task[Notification, Sent] = task("email.notification")
