"""pgqueuer on PostgreSQL: asyncpg on uvloop.

Fast configuration: `batch_size` = concurrency and no cap on concurrent jobs (its default), one connection (its default
style), enqueue in lists of 1,000; 100 callers share that connection or a pool of 10, the faster counts. Variant `cap`:
`max_concurrent_tasks` = concurrency, `batch_size` = half of it. Results: none; a log row for each change of state is
kept (default).
"""

# mypy: ignore-errors
from __future__ import annotations

import json
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.queries import Queries

from benchmarks.peers.commands import AsyncPeer, main
from benchmarks.peers.recording import FLIGHT, POSTGRES, VARIANT, record, wait_for_go

POOL = 10


class PgQueuerPeer(AsyncPeer):
    """See `AsyncPeer`."""

    async def open(self):
        if FLIGHT > 1:
            await self.open_pool()
            return
        self.connection = await asyncpg.connect(POSTGRES)
        self.queries = Queries(AsyncpgDriver(self.connection))

    async def open_pool(self):
        self.connection = await asyncpg.create_pool(POSTGRES, min_size=POOL, max_size=POOL)
        self.queries = Queries(AsyncpgPoolDriver(self.connection))

    async def close(self):
        await self.connection.close()

    async def add(self, number):
        await self.queries.enqueue("noop", json.dumps({"i": number}).encode(), 0)

    async def add_many(self, numbers):
        payloads = [json.dumps({"i": number}).encode() for number in numbers]
        await self.queries.enqueue(["noop"] * len(payloads), payloads, [0] * len(payloads))

    def init(self):
        async def install():
            connection = await asyncpg.connect(POSTGRES)
            await connection.execute("drop schema public cascade; create schema public")
            await Queries(AsyncpgDriver(connection)).install()
            await connection.close()

        self.run(install())

    def worker(self, concurrency):
        async def work():
            connection = await asyncpg.connect(POSTGRES)
            queuer = PgQueuer.from_asyncpg_connection(connection)

            @queuer.entrypoint("noop")
            async def noop(job):
                record(json.loads(job.payload)["i"])

            settings = {"batch_size": concurrency}
            if "cap" in VARIANT:  # batch_size alone bounds nothing: jobs run as unlimited tasks
                settings = {"batch_size": concurrency // 2, "max_concurrent_tasks": concurrency}
            wait_for_go()
            await queuer.run(dequeue_timeout=timedelta(seconds=1), **settings)

        self.run(work())


if __name__ == "__main__":
    main(PgQueuerPeer())
