"""Applications and relays are killed 200 times at random points: what was committed arrives once, the rest never."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from multiprocessing.context import ForkServerProcess

import pytest
from sqlalchemy import select

from corral import Client, Worker
from corral.store.database import Database
from corral.store.tables import OutboxBatchRow, OutboxRow
from tests.faults.outbox_program import METADATA, ORDERS, application, relay, tasks
from tests.faults.test_worker_crash import seed

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("KILLS") or 200)
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.faults.outbox_program"])


@pytest.fixture
async def shop(database: Database) -> Database:
    """A database with the tables of the application and of Corral."""
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    return database


class Troupe:
    """Processes of one kind, replaced as they are killed."""

    def __init__(self, begin: Callable[[], ForkServerProcess], count: int) -> None:
        self._begin = begin
        self.processes = [begin() for _ in range(count)]

    def kill(self, chance: random.Random) -> None:
        """Kill one of them, and begin another."""
        victim = self.processes.pop(chance.randrange(len(self.processes)))
        victim.kill()
        victim.join()
        self.processes.append(self._begin())

    def close(self) -> None:
        """Kill all."""
        for process in self.processes:
            process.kill()
            process.join()


def begun(target: Callable[..., None], *arguments: object) -> ForkServerProcess:
    """A process that was started."""
    process = FORKS.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


async def none_left(database: Database) -> bool:
    """Whether all rows were moved."""
    async with database.reading() as session:
        return await session.scalar(select(OutboxRow.id).limit(1)) is None


async def under_way(database: Database) -> bool:
    """Whether there is a batch of which nobody knows yet that it has arrived."""
    async with database.reading() as session:
        return await session.scalar(select(OutboxBatchRow.number)) is not None


async def all_have_run(client: Client, queue: str) -> bool:
    """Whether the server has no job any more."""
    return not sum((await client.queue(queue).counts()).values())


async def pause(seconds: float) -> None:
    """Let the others go on for so long: when somebody is killed is up to chance."""
    await asyncio.wait({asyncio.get_running_loop().create_future()}, timeout=seconds)


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds, a minute at most."""
    async with asyncio.timeout(60):
        while not await condition():
            await pause(0.005)


async def committed(database: Database) -> Counter[str]:
    """The orders that there are."""
    async with database.reading() as session:
        return Counter(await session.scalars(select(ORDERS.c.id)))


async def test_what_was_committed_arrives_once(
    shop: Database, database_url: str, redis_url: str, prefix: str, queue_name: str
) -> None:
    """Whatever is killed and whenever: the runs are exactly the orders, each once, though jobs are gone from the server
    as soon as they have run."""
    chance, ran, declared = random.Random(seed()), Counter[str](), tasks(queue_name)

    async def confirm(order: str) -> None:
        ran[order] += 1

    interrupted = 0
    applications = Troupe(lambda: begun(application, database_url, queue_name, chance.getrandbits(32)), 2)
    relays = Troupe(lambda: begun(relay, database_url, redis_url, prefix), 2)
    async with Client(redis_url, prefix=prefix) as client, Worker(declared(confirm=confirm), client=client):
        try:
            for _ in range(KILLS):
                await pause(chance.uniform(0.02, 0.3))
                if chance.random() < 0.3:  # a moment at which a relay stands between database and server
                    await until(lambda: under_way(shop))
                chance.choice([applications, relays, relays]).kill(chance)
                interrupted += await under_way(shop)
            applications.close()
            await until(lambda: none_left(shop))
        finally:
            applications.close()
            relays.close()
        orders = await committed(shop)
        await until(lambda: all_have_run(client, queue_name))
    print(f"{len(orders)} orders, {KILLS} kills, after {interrupted} of them a batch was under way")
    assert len(orders) > KILLS
    assert interrupted > KILLS / 20
    assert ran == orders
