"""The contract: what mails there are. A program that enqueues needs no more than this."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, EmailStr, Field

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


def _itself(text: str) -> str:
    """Python decodes such words in headers before it writes them: a line break in one would begin another header."""
    if "=?" in text:
        raise ValueError("give the text itself, not an encoded word (=?…?=)")
    return text


def _alone(given: Any) -> Any:
    """Before the check of an address, which drops the name."""
    if isinstance(given, str) and "<" in given:
        raise ValueError("give the address alone: ada@example.org")
    return given


def _plain(address: str) -> str:
    if not address.rpartition("@")[0].isascii():
        raise ValueError("give an address that is ASCII before its @")
    return address


Line = Annotated[
    str,
    Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f\x85\u2028\u2029]*$"),
    AfterValidator(_itself),
]
"""Text of one line: nothing in it can begin another header."""

Address = Annotated[EmailStr, BeforeValidator(_alone), AfterValidator(_itself)]
"""An address alone, of which the same holds."""

PlainAddress = Annotated[Address, AfterValidator(_plain)]
"""One that every server takes: what is in a header is not known when a server is asked for what it can do."""

Text = Annotated[str, Field(max_length=250_000)]
"""Characters of a mail: writing it holds up the worker's other jobs."""

Link = Annotated[str, Field(max_length=2000, pattern=r"^https?://[^\s]+$")]
"""What may stand behind a button."""

DEFAULT_PRIORITY: Final = 10


class Email(BaseModel):
    """A mail as it is to be sent."""

    model_config = ConfigDict(hide_input_in_errors=True)  # a template puts links that are secrets into it

    to: Address | Annotated[list[Address], Field(min_length=1, max_length=100)]
    subject: Line
    body: Text
    html: Text | None = None
    reply_to: PlainAddress | None = None


class FromTemplate(BaseModel):
    """A mail whose words are a template's: a subclass has what it needs for them."""

    to: Address


class Welcome(FromTemplate):
    """For somebody who has just joined."""

    name: Line
    product: Line
    link: Link


class Invitation(FromTemplate):
    """For somebody who is asked to join. The link lets in whoever has it: it is not shown to operators."""

    model_config = ConfigDict(hide_input_in_errors=True)

    inviter: Line
    organisation: Line
    link: Annotated[Link, Secret()]
    expires_at: AwareDatetime


class PasswordReset(FromTemplate):
    """For somebody who cannot log in. The link is worth an account: it is not shown to operators."""

    model_config = ConfigDict(hide_input_in_errors=True)

    name: Line
    link: Annotated[Link, Secret()]
    minutes: int = Field(default=60, gt=0, description="How long the link is good for.")


class Notification(FromTemplate):
    """Something has happened."""

    title: Line
    text: Annotated[str, Field(max_length=40_000)]  # in HTML each may be five
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
