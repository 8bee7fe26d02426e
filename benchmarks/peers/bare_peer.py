"""No job system: the floor for pick-up latency with Corral's client stack.

uvloop, and redis-py's asyncio connection with hiredis, called directly as Corral does (no redis-py client, no pool).
Enqueue: one EVALSHA that pushes the payload and adds to a marker (RPUSH, ZADD). Pick-up: BZPOPMIN on the marker on
one connection, then one EVALSHA (LPOP) on another, json.loads, and the record. Nothing is validated, stored or settled.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.connection import Connection

from benchmarks.peers.commands import AsyncPeer, main
from benchmarks.peers.recording import REDIS, record, wait_for_go

PUSH = "redis.call('RPUSH', KEYS[1], ARGV[1]) redis.call('ZADD', KEYS[2], 0, '0') return 1"
PULL = "return redis.call('LPOP', KEYS[1])"


class Bare:
    """One connection: one call at a time."""

    def __init__(self) -> None:
        parts = urlsplit(REDIS)
        self._connection = Connection(
            host=parts.hostname or "", port=parts.port or 6379, db=int(parts.path[1:])
        )

    async def call(self, *words: str) -> Any:
        """Send a command and read its reply."""
        if not self._connection.is_connected:
            await self._connection.connect()  # type: ignore[no-untyped-call]
        await self._connection.send_packed_command(self._connection.pack_command(*words), check_health=False)
        return await self._connection.read_response()

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.disconnect()


class BarePeer(AsyncPeer):
    """See `AsyncPeer`."""

    async def open(self) -> None:
        self.bare = Bare()
        self.sha = (await self.bare.call("SCRIPT", "LOAD", PUSH)).decode()

    async def close(self) -> None:
        await self.bare.close()

    async def add(self, number: int) -> None:
        await self.bare.call("EVALSHA", self.sha, "2", "bare", "bare:marker", json.dumps({"i": number}))

    def worker(self, concurrency: int) -> None:
        async def work() -> None:
            sleeper, puller = Bare(), Bare()
            sha = (await puller.call("SCRIPT", "LOAD", PULL)).decode()
            wait_for_go()
            while True:
                if await sleeper.call("BZPOPMIN", "bare:marker", "10"):
                    payload = await puller.call("EVALSHA", sha, "1", "bare")
                    if payload is not None:
                        record(json.loads(payload)["i"])

        self.run(work())


if __name__ == "__main__":
    main(BarePeer())
