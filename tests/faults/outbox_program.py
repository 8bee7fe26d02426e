"""An application that writes orders and their jobs in one transaction, and relays: to be killed at any point."""

from __future__ import annotations

import asyncio
import random
import uuid
from contextlib import suppress

from sqlalchemy import Column, MetaData, Table, Text, insert

from corral import Client, Task, TaskSet, task
from corral.store.database import Database
from corral.store.outbox import outbox
from corral.store.relay import Relay

__all__ = ["ORDERS", "application", "relay", "tasks"]

METADATA = MetaData()
ORDERS = Table("orders", METADATA, Column("id", Text, primary_key=True))
"""The truth: what was committed is here, and nothing else."""


def tasks(queue: str) -> type[TaskSet]:
    """What is done for each order. The job is gone from the server as soon as it has run."""

    class Tasks(TaskSet, queue=queue, remove_on_complete=True):
        """The tasks of the application."""

        confirm: Task[str, None] = task("confirm")

    return Tasks


class _Rollback(Exception):
    """The customer has thought better of it."""


def application(database_url: str, queue: str, seed: int) -> None:
    """Write transactions until it is killed: of one to four orders, some of them rolled back, some after a flush."""
    asyncio.run(_write(database_url, tasks(queue), random.Random(seed)))


async def _write(database_url: str, declared: type[TaskSet], chance: random.Random) -> None:
    async with Database(database_url) as database:
        while True:
            with suppress(_Rollback):
                async with database.writing() as session:
                    for _ in range(chance.randint(1, 4)):
                        order = str(uuid.uuid4())
                        await session.execute(insert(ORDERS).values(id=order))
                        await declared.confirm.enqueue(outbox(session), order)  # type: ignore[attr-defined]
                    if chance.random() < 0.5:
                        await session.flush()
                    if chance.random() < 0.3:
                        raise _Rollback


def relay(database_url: str, redis_url: str, prefix: str) -> None:
    """Move rows until it is killed. The lease is so short that relays meet."""
    asyncio.run(_move(database_url, redis_url, prefix))


async def _move(database_url: str, redis_url: str, prefix: str) -> None:
    async with Database(database_url) as database, Client(redis_url, prefix=prefix) as client:
        await Relay(database, client, interval=0.005, lease=0.05).run()
