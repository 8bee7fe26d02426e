"""The ACL rules of docs/servers.md are enough for each kind of program, and too little is said plainly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from corral import Admin, Client, JobState, ServerRefused, Worker
from corral.admin.doctor import examine
from corral.admin.finding import Severity
from corral.engine.server import Server
from corral.engine.settings import ServerSettings
from tests.house.source import ROOT
from tests.machines.test_cluster import doubling
from tests.servers import ServerProcess


def users(server: ServerProcess) -> dict[str, str]:
    """Make the users of the documentation; their URLs."""
    page = (ROOT / "docs" / "servers.md").read_text(encoding="utf-8")
    rules = [line.split() for line in page.splitlines() if line.startswith("ACL SETUSER")]
    with redis.Redis.from_url(server.url) as admin:
        for words in rules:
            admin.execute_command(*words)
    return {words[2]: server.url.replace("redis://", f"redis://{words[2]}:secret@") for words in rules}


async def test_they_are_enough(make_server: Callable[..., ServerProcess]) -> None:
    """A producer adds, waits and looks; a worker runs; an operator lists, drains and examines."""
    server = make_server(appendonly="everysec")
    urls = users(server)
    async with Client(urls["producer"]) as client, Worker(doubling("mail"), url=urls["worker"]):
        queue = client.queue("mail")
        async with queue.events() as events:
            job = await queue.enqueue("double", 4, durability="fsync", remove_on_complete=False)
            assert await job.result(timeout=10) == 8
            assert (await anext(aiter(events))).name == "added"
        assert [each.id for each in await queue.jobs(JobState.COMPLETED)] == [job.id]
        later = await queue.enqueue("double", 4, delay=100)
        assert await later.remove()
        async with Admin(urls["operator"]) as admin:
            assert len(await admin.queue("mail").workers()) == 1
            await admin.queue("mail").pause()
            await admin.queue("mail").resume()
            await admin.queue("mail").obliterate(force=True)
    examined = Server(ServerSettings(urls["operator"]))
    assert all(finding.severity is not Severity.PROBLEM for finding in await examine(examined))
    await examined.close()


async def test_they_are_not_more(make_server: Callable[..., ServerProcess]) -> None:
    """No user reaches another prefix, flushes or lists all keys; each refusal is `ServerRefused`, and fatal."""
    server = make_server()
    for url in users(server).values():
        async with Client(url, prefix="other") as client:
            with pytest.raises(ServerRefused, match="ACL SETUSER"):
                await client.queue("mail").enqueue("double", 1)
            for words in (
                ("FLUSHALL",),
                ("KEYS", "*"),
                ("CONFIG", "SET", "maxmemory", "1"),
                ("DEBUG", "SLEEP", "0"),
            ):
                with pytest.raises(ServerRefused, match="permission"):
                    await client.server.call(*words)


async def test_a_producer_cannot_take_wake_ups(make_server: Callable[..., ServerProcess]) -> None:
    """What only workers do is refused to producers."""
    server = make_server()
    async with Client(users(server)["producer"]) as client:
        with pytest.raises(ServerRefused, match="bzpopmin"):
            await client.server.call("BZPOPMIN", "bull:mail:marker", "0.01")
