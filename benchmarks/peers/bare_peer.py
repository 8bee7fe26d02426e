"""No job system: the floor for pick-up latency with Corral's client stack.

uvloop, and redis-py's asyncio connection with hiredis, called directly as Corral does (no redis-py client, no pool).
Enqueue: one EVALSHA that pushes the payload and adds to a marker (RPUSH, ZADD). Pick-up: BZPOPMIN on the marker on
one connection, then one EVALSHA (LPOP) on another, json.loads, and the record. Nothing is validated, stored or settled.

Variant `claim`: the same loop on a queue of Corral's, the script call being Corral's own claim; Corral enqueues. What
lies between this and Corral is what its worker adds.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.connection import Connection

from benchmarks.peers.commands import AsyncPeer, main
from benchmarks.peers.corral_peer import CorralPeer
from benchmarks.peers.recording import REDIS, VARIANT, record, wait_for_go
from corral.engine.keys import QueueKeys
from corral.engine.record import Claimed
from corral.engine.script import load

PUSH = "redis.call('RPUSH', KEYS[1], ARGV[1]) redis.call('ZADD', KEYS[2], 0, '0') return 1"
PULL = "return redis.call('LPOP', KEYS[1])"
LOCK_MS = 30_000


class Bare:
    """One connection: one call at a time."""

    def __init__(self) -> None:
        parts = urlsplit(REDIS)
        self._connection = Connection(
            host=parts.hostname or "", port=parts.port or 6379, db=int(parts.path[1:]), protocol=2,
            socket_timeout=None,
        )  # fmt: skip

    async def call(self, *words: str | int) -> Any:
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
        await self.bare.call("EVALSHA", self.sha, 2, "bare", "bare:marker", json.dumps({"i": number}))

    def worker(self, concurrency: int) -> None:
        async def work() -> None:
            puller = Bare()
            sha = (await puller.call("SCRIPT", "LOAD", PULL)).decode()

            async def pull() -> None:
                payload = await puller.call("EVALSHA", sha, 1, "bare")
                if payload is not None:
                    record(json.loads(payload)["i"])

            await pull_when_woken("bare:marker", pull)

        self.run(work())


class ClaimingPeer(CorralPeer):
    """Corral's producer and its claim script, without its worker."""

    def worker(self, concurrency: int) -> None:
        async def work() -> None:
            puller, keys, script = Bare(), QueueKeys("bull", "bench"), load("claim/claim_jobs")
            await puller.call("SCRIPT", "LOAD", script.text)
            names = [str(name) for name in keys.all(script.keys)]
            # Two are wanted, so that the one which is found leaves no token behind for the next worker.
            words: list[str | int] = [
                script.sha,
                len(names),
                *names,
                keys.base,
                "",
                "",
                0,
                2,
                "token",
                LOCK_MS,
                "",
            ]

            async def pull() -> None:
                for row in (await puller.call("EVALSHA", *words))[3]:
                    record(json.loads(Claimed._make(row).data or b"")["i"])

            await pull_when_woken(keys.key("marker"), pull)

        self.run(work())


async def pull_when_woken(marker: str, pull: Callable[[], Awaitable[None]]) -> None:
    """The bare loop: wait for a token, then make the one call."""
    sleeper = Bare()
    await sleeper.call("PING")
    wait_for_go()
    while True:
        if await sleeper.call("BZPOPMIN", marker, 10):
            await pull()


if __name__ == "__main__":
    main(ClaimingPeer() if "claim" in VARIANT else BarePeer())
