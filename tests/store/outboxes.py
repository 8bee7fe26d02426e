"""What tests of the outbox do: commit jobs, begin a batch as one that dies, look at what the server has been told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from sqlalchemy import func, select, update

from corral import Admin, Client, Task, TaskSet, task
from corral.contracts.options import Durability, EnqueueOptions
from corral.store.database import Database
from corral.store.outbox import outbox
from corral.store.outbox_batches import Batch, OutboxBatches
from corral.store.outbox_sender import OutboxSender
from corral.store.tables import OutboxRelayRow, OutboxRow
from tests.store.tasks import MailTasks


class OtherTasks(TaskSet, queue="other"):
    """Another queue."""

    count: Task[int, None] = task("other.count")


async def write(database: Database, *ids: str, durability: Durability | None = None) -> None:
    """Commit jobs with these ids."""
    async with database.writing() as session:
        for one in ids:
            options = EnqueueOptions(job_id=one)
            if durability is not None:
                options["durability"] = durability
            await MailTasks.purge.enqueue(outbox(session), None, **options)


async def arrivals(client: Client, count: int, queue: str = "mail") -> list[str]:
    """The ids of the jobs that were ever added to a queue, in their order, once there are so many."""
    found = list[str]()
    async with asyncio.timeout(20), client.queue(queue).events(after="0-0") as events:
        async for event in events:
            if event.name == "added" and event.job_id:
                found.append(event.job_id)
            if len(found) == count:
                break
    return found


async def added(client: Client, queue: str = "mail") -> list[str]:
    """The ids of the jobs that were ever added to a queue so far, in their order."""
    entries = await client.server.call("XRANGE", client.server.keys(queue).key("events"), "-", "+")
    fields = [dict(zip(words[::2], words[1::2], strict=True)) for _, words in entries]
    return [entry[b"jobId"].decode() for entry in fields if entry[b"event"] == b"added"]


async def rows(database: Database) -> int:
    """How many rows the outbox has."""
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(OutboxRow)) or 0


async def begun(database: Database, lease: float = 10.0) -> Batch:
    """The next batch of a relay that dies before it has said that it arrived."""
    turn = await OutboxBatches(database, lease=lease).advance()
    assert turn.batch is not None
    return turn.batch


@asynccontextmanager
async def sending(client: Client) -> AsyncIterator[OutboxSender]:
    """The server's side alone."""
    sender = OutboxSender(client.server)
    yield sender
    await sender.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def let_go(database: Database) -> None:
    """The time of the relay whose turn it is has passed."""
    async with database.writing() as session:
        await session.execute(update(OutboxRelayRow).values(holder=None))


async def forget_job(admin: Admin, job_id: str) -> None:
    """As if the job had run, and had been trimmed."""
    await admin.queue("mail").jobs.remove(job_id)


async def scanned(client: Client, pattern: str) -> AsyncIterator[bytes]:
    """The keys of a small server."""
    _, keys = await client.server.call("SCAN", 0, "MATCH", pattern, "COUNT", 1000)
    for key in keys:
        yield key
