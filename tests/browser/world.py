"""A world of queues for looking at: every state, several causes of failure, flows, schedules, and some workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from corral import Client, Context, Cron, Every, Task, TaskSet, Worker, fan_in, task
from corral.admin.admin import Admin
from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.store.cron_job import CronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.schedules import DatabaseSchedules

__all__ = ["WORLD_TASKS", "Accounts", "Digest", "Emails", "Invite", "Photo", "Photos", "World", "furnished"]


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


class Account(BaseModel):
    """Somebody who pays."""

    account: str


class Accounts(TaskSet, queue="accounts"):
    """One bill of an account at a time."""

    bill: Task[Account, None] = task("account.bill", singleton="account")


WORLD_TASKS = (Emails, Photos, Imports, Accounts)


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


async def bill(account: Account, ctx: Context) -> None:
    """Takes until its worker ends."""
    await ctx.log(f"billing {account.account}")
    await ctx.cancelled.wait()


@dataclass(frozen=True, slots=True)
class World:
    """What there is, for looking at what the pages have done."""

    client: Client
    admin: Admin
    database: Database
    cron_jobs: CronJobs

    async def job(self, queue: str, job_id: str) -> Job:
        """A job that is there."""
        found = await self.client.queue(queue).get(job_id)
        assert found is not None, job_id
        return found


@asynccontextmanager
async def furnished(url: str, prefix: str, database: Database) -> AsyncIterator[World]:
    """The world, with its workers at work as long as the block lasts."""
    await database.migrate()
    schedules = DatabaseSchedules(database, *WORLD_TASKS, interval=0.2)
    mailers = Emails(send_invite=send_invite, send_digest=send_digest)
    painters = Photos(resize=resize, publish=publish)
    async with Client(url, prefix=prefix) as client, Admin(url, prefix=prefix) as admin:
        world = World(client, admin, database, CronJobs(database, *WORLD_TASKS))
        await _schedule(world)
        async with (
            Worker(mailers, client=client, name="mailer-1", concurrency=8, lifespan=schedules),
            Worker(painters, client=client, name="painter-1", concurrency=2, grace=0.1),
            Worker(Accounts(bill=bill), client=client, name="biller-1", concurrency=4, grace=0.1),
        ):
            await _work_off(client)
            await _leave(world)
            await _begun(world)
            yield world


async def _schedule(world: World) -> None:
    """Cron jobs of an operator, one of them paused, and schedules of the program."""
    for weekly in (
        CronJob.of(Emails.send_digest, Digest(), "0 7 * * 1", job_id="digest.weekly", name="Monday digest"),
        CronJob.of(
            Emails.send_digest,
            Digest(week=1),
            "30 6 1 * *",
            job_id="digest.monthly",
            tz="Europe/Berlin",
            enabled=False,
        ),
    ):
        await world.cron_jobs.create(weekly)
    each_day = Cron("0 9 * * 1-5", tz="Europe/Berlin")
    await Emails.send_digest.enqueue(world.client, Digest(), job_id="weekday-digest", repeat=each_day)
    each_hour = Every(hours=1, offset=0)
    await Emails.send_digest.enqueue(world.client, Digest(), job_id="hourly-digest", repeat=each_hour)


async def _work_off(client: Client) -> None:
    """Add jobs that end, in several ways, and wait for them."""
    invites = [
        Invite(
            to=f"person{number}@example.org", workspace=number, note=None if number % 4 else "Welcome aboard"
        )
        for number in range(1, 61)
    ]
    handles = await Emails.send_invite.enqueue_many(client, invites)
    digests = [await Emails.send_digest.enqueue(client, Digest(week=week)) for week in (45, 46)]
    sizes = [Photos.resize.node(Photo(photo="door.jpg", width=width)) for width in (320, 640, 1280)]
    into = Photos.publish.node(Photo(photo="door.jpg"), job_id="album-7")
    album = await fan_in(sizes, into=into).enqueue(client)
    await asyncio.gather(*(handle.wait(timeout=60) for handle in (*handles, *digests, album)))


async def _leave(world: World) -> None:
    """Add jobs that do not end: later ones, long ones, and those of queues where nobody works."""
    client = world.client
    reminder = Invite(to="ada@example.org", workspace=1)
    for hours in (1, 5, 30):
        await Emails.send_invite.enqueue(
            client, reminder, job_id=f"reminder-{hours}", delay=timedelta(hours=hours)
        )
    await Photos.resize.enqueue(client, Photo(photo="panorama.jpg", width=16_000), job_id="panorama")
    album = Photos.publish.node(
        Photo(photo="trip.jpg"),
        job_id="album-8",
        children=[
            Photos.resize.node(Photo(photo="trip.jpg", width=320), job_id="trip-320"),
            Photos.resize.node(Photo(photo="trip.jpg", width=9000), job_id="trip-9000"),
        ],
    )
    await album.enqueue(client)
    await Imports.read_file.enqueue_many(client, [{"path": f"/in/{number}.csv"} for number in range(12)])
    for number in range(3):
        await Accounts.bill.enqueue(client, Account(account="ada"), job_id=f"bill-ada-{number}")
    legacy = client.queue("legacy.reports")
    await legacy.enqueue_many("report", [{"number": number} for number in range(5)], priority=3)
    await world.admin.queue("legacy.reports").pause()


async def _begun(world: World) -> None:
    """Wait until what can run does, and what cannot is set aside."""
    expected = {
        "photos": {JobState.ACTIVE: 2, JobState.WAITING_CHILDREN: 1, JobState.COMPLETED: 5},
        "accounts": {JobState.ACTIVE: 1, JobState.DELAYED: 2},
    }
    async with asyncio.timeout(60):
        for name, wanted in expected.items():
            while not wanted.items() <= (await world.client.queue(name).counts()).items():
                await asyncio.sleep(0)
