"""Behind sentinels: whoever they name is the primary."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest
import redis

from corral import Client, ServerRefused, ServerUnavailable, Worker
from tests.machines.test_cluster import doubling
from tests.servers import ServerProcess
from tests.topologies import MASTER, Sentinel, Watched


async def test_a_failover_on_command(word: str) -> None:
    """After SENTINEL FAILOVER producers, workers and readers go on with the new primary by themselves."""
    with Watched() as watched:
        async with Client(watched.url, prefix=word) as client, Worker(doubling(word), client=client):
            queue = client.queue(word)
            assert await (await queue.enqueue("double", 1)).result(timeout=20) == 2
            before = watched.home_of(word)
            with redis.Redis.from_url(watched.sentinels[0].url) as sentinel:
                sentinel.execute_command("SENTINEL FAILOVER", MASTER)
            # Until the old primary is told, it takes writes that are lost with it: see docs/scale.md.
            with redis.Redis.from_url(before.url) as old, contextlib.suppress(redis.ConnectionError):
                async with asyncio.timeout(30):
                    while old.info("replication")["role"] == "master":
                        await asyncio.sleep(0)
            job = await queue.enqueue("double", 2, remove_on_complete=False)
            assert await job.result(timeout=20) == 4
            with redis.Redis.from_url(watched.home_of(word).url) as primary:
                assert primary.hget(f"{word}:{word}:{job.id}", "returnvalue") == b"4"


async def test_a_dead_sentinel_is_passed_over(watched: Watched, word: str) -> None:
    """Sentinels that do not answer cost a moment; when none does, the error says so."""
    dead = ServerProcess()
    url = watched.url.replace("redis+sentinel://", f"redis+sentinel://127.0.0.1:{dead.port},")
    async with Client(url, prefix=word) as client:
        assert (await client.queue(word).enqueue("double", 1)).created
    dead.close()


async def test_sentinels_with_a_password(make_server: Callable[..., ServerProcess], word: str) -> None:
    """Sentinels have a password of their own, in the query; a wrong one is refused at once."""
    primary = make_server(password="inner")
    sentinel = Sentinel(
        primary, quorum=1, settings=["requirepass outer", f"sentinel auth-pass {MASTER} inner"]
    )
    with sentinel:
        url = f"redis+sentinel://:inner@127.0.0.1:{sentinel.port}/{MASTER}"
        async with Client(f"{url}?sentinel_password=outer", prefix=word) as client:
            assert (await client.queue(word).enqueue("double", 1)).created
        async with Client(f"{url}?sentinel_password=wr0ng", prefix=word) as client:
            with pytest.raises(ServerRefused, match="password") as refused:
                await client.queue(word).enqueue("double", 1)
    assert "wr0ng" not in str(refused.value)


async def test_a_sentinel_that_names_a_replica(make_server: Callable[..., ServerProcess], word: str) -> None:
    """What the sentinels name is looked at: a replica is not taken for the primary."""
    primary = make_server()
    named = make_server(args=("--replicaof", f"127.0.0.1 {primary.port}"))
    with Sentinel(named, quorum=2) as sentinel:
        url = f"redis+sentinel://127.0.0.1:{sentinel.port}/{MASTER}"
        async with Client(url, prefix=word, timeout=1.0) as client:
            with pytest.raises(ServerUnavailable, match="still a replica"):
                await client.queue(word).enqueue("double", 1)
