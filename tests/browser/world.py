"""A world of queues for looking at: every state, several causes of failure, flows, schedules, and some workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from corral import Client, Context, Cron, Every, Task, TaskSet, Worker, fan_in, task
from corral.admin.admin import Admin

__all__ = ["WORLD_TASKS", "Emails", "Photos", "furnished"]


class Language(StrEnum):
    """In which an invitation may be."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"


class Address(BaseModel):
    """Where somebody lives."""

    street: str
    number: int = Field(default=1, ge=1, description="House number")
    country: Literal["DE", "FR", "US"] = "DE"


class Invite(BaseModel):
    """An invitation."""

    to: Annotated[str, Field(description="Whom it is for")]
    workspace: int
    language: Language = Language.ENGLISH
    tags: list[str] = []
    address: Address | None = None
    guests: list[Address] = []
    note: str | None = None
    urgent: bool = False


class Digest(BaseModel):
    """A digest of a week."""

    week: int = 47


class Emails(TaskSet, queue="emails", attempts=3, backoff=0.01):
    """What is mailed."""

    send_invite: Task[Invite, dict[str, str]] = task("email.sendInvite")
    send_digest: Task[Digest, None] = task("email.sendDigest", attempts=1)


class Photo(BaseModel):
    """A picture."""

    photo: str
    width: int = 800


class Photos(TaskSet, queue="photos"):
    """What is done to pictures."""

    resize: Task[Photo, str] = task("photo.resize")
    publish: Task[Photo, str] = task("photo.publish")


class Imports(TaskSet, queue="imports"):
    """Nobody works on these."""

    read_file: Task[dict[str, str], None] = task("import.readFile")


WORLD_TASKS = (Emails, Photos, Imports)


class MailboxFull(Exception):
    """The mail server refused a letter."""


async def send_invite(invite: Invite, ctx: Context) -> dict[str, str]:
    """Deliver, or fail in one of two ways."""
    await ctx.log(f"connecting to mx.{invite.to.partition('@')[2]}")
    if invite.workspace % 10 == 3:
        raise ConnectionRefusedError(f"mx.example.org refused the connection for job {ctx.job_id}")
    if invite.workspace % 10 == 7:
        raise MailboxFull(f"mailbox of {invite.to} has reached its quota of {invite.workspace} MB")
    await ctx.log("250 2.0.0 queued")
    await ctx.progress(100)
    return {"message": f"<{ctx.job_id}@corral.example>"}


async def send_digest(digest: Digest) -> None:
    """Never works."""
    raise TimeoutError(f"the report of week {digest.week} was not ready after 30 s")


async def resize(photo: Photo, ctx: Context) -> str:
    """Make it smaller; a large one takes until its worker ends."""
    await ctx.progress(40)
    if photo.width > 4000:
        await ctx.cancelled.wait()
    return f"{photo.photo}@{photo.width}"


async def publish(photo: Photo) -> str:
    """Put it online."""
    return f"https://cdn.example.org/{photo.photo}"


@asynccontextmanager
async def furnished(url: str, prefix: str) -> AsyncIterator[Admin]:
    """The world, with its workers at work as long as the block lasts."""
    async with Client(url, prefix=prefix) as client, Admin(url, prefix=prefix) as admin:
        mailers = Emails(send_invite=send_invite, send_digest=send_digest)
        painters = Photos(resize=resize, publish=publish)
        async with (
            Worker(mailers, client=client, name="mailer-1", concurrency=8),
            Worker(painters, client=client, name="painter-1", concurrency=2, grace=0.1),
        ):
            await _furnish(client, admin)
            yield admin


async def _furnish(client: Client, admin: Admin) -> None:
    """Add jobs of every kind, and wait until those that can run have ended."""
    invites = [
        Invite(
            to=f"person{number}@example.org", workspace=number, note=None if number % 4 else "Welcome aboard"
        )
        for number in range(1, 61)
    ]
    handles = await Emails.send_invite.enqueue_many(client, invites)
    digests = [await Emails.send_digest.enqueue(client, Digest(week=week)) for week in (45, 46)]
    sizes = [Photos.resize.node(Photo(photo="door.jpg", width=width)) for width in (320, 640, 1280)]
    album = await fan_in(sizes, into=Photos.publish.node(Photo(photo="door.jpg"), job_id="album-7")).enqueue(
        client
    )
    await asyncio.gather(*(handle.wait(timeout=30) for handle in (*handles, *digests, album)))
    for hours in (1, 5, 30):
        await Emails.send_invite.enqueue(
            client, invites[0], job_id=f"reminder-{hours}", delay=timedelta(hours=hours)
        )
    await Emails.send_digest.enqueue(
        client, Digest(), job_id="weekly-digest", repeat=Cron("0 9 * * 1-5", tz="Europe/Berlin")
    )
    await Emails.send_digest.enqueue(
        client, Digest(), job_id="hourly-digest", repeat=Every(hours=1, offset=0)
    )
    await Photos.resize.enqueue(client, Photo(photo="panorama.jpg", width=16_000), job_id="panorama")
    panorama = Photos.publish.node(
        Photo(photo="trip.jpg"),
        job_id="album-8",
        children=[
            Photos.resize.node(Photo(photo="trip.jpg", width=320), job_id="trip-320"),
            Photos.resize.node(Photo(photo="trip.jpg", width=9000), job_id="trip-9000"),
        ],
    )
    await panorama.enqueue(client)
    await Imports.read_file.enqueue_many(client, [{"path": f"/in/{number}.csv"} for number in range(12)])
    legacy = client.queue("legacy.reports")
    await legacy.enqueue_many("report", [{"number": number} for number in range(5)], priority=3)
    await admin.queue("legacy.reports").pause()
