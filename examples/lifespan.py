"""What handlers need is opened before the first job and closed after the last; middleware stands around each run."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from corral import CallNext, Client, Context, Job, Queue, Serve, Worker

users = Queue("users")
audit = Queue("audit")
database: sqlite3.Connection


@asynccontextmanager
async def lifespan() -> AsyncIterator[None]:
    global database
    database = sqlite3.connect(":memory:")
    database.execute("create table users (name text)")
    yield
    print("rows:", database.execute("select count(*) from users").fetchone()[0])
    database.close()


async def timed(job: Job, context: Context, call_next: CallNext) -> Any:
    began = time.perf_counter()
    try:
        return await call_next()
    finally:
        print(f"{job.name} ran for less than {time.perf_counter() - began + 1:.0f} s")


@users.task
async def create(name: str) -> None:
    database.execute("insert into users values (?)", (name,))


@audit.task
async def record(text: str) -> None: ...


async def main() -> None:
    worker = Worker(users, Serve(audit, concurrency=1), lifespan=lifespan, middleware=[timed])
    async with Client() as client, worker:
        job = await create.enqueue(client, "ada")
        await job.result(timeout=10)


asyncio.run(main())

# Output:
# create ran for less than 1 s
# rows: 1
