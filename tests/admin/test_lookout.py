"""The lookout sees all queues at a glance, and says what it cannot see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import redis.asyncio

from corral import Admin, Client, WorkerState
from corral.admin import lookout as looking
from corral.admin.lookout import Lookout
from corral.engine.report_worker import write_beat
from tests.contracts.test_worker_record import BEAT
from tests.servers import ServerProcess


async def test_nobody_claims(admin: Admin, client: Client, queue_name: str) -> None:
    """A queue is unserved while jobs wait and no worker claims any, a draining one is none that does; not while it is
    paused."""
    await client.queue(queue_name).enqueue("work", 1)
    keys = admin.server.keys(queue_name)

    async def is_unserved() -> tuple[bool, int | None]:
        [glance] = (await Lookout(admin).look()).queues
        return glance.is_unserved, glance.workers

    draining = replace(BEAT, state=WorkerState.DRAINING, queues=(queue_name,))
    await write_beat(admin.server, keys, "one", draining.text())
    assert await is_unserved() == (True, 0)
    await admin.queue(queue_name).pause()
    assert await is_unserved() == (False, 0)
    await admin.queue(queue_name).resume()
    await write_beat(admin.server, keys, "two", replace(BEAT, queues=(queue_name,)).text())
    assert await is_unserved() == (False, 1)


async def test_who_works_cannot_be_seen(make_server: Callable[..., ServerProcess]) -> None:
    """Where the user may not list connections the number of workers is unknown: 0 would be a false alarm."""
    server = make_server()
    async with redis.asyncio.Redis.from_url(server.url) as root:
        await root.acl_setuser(
            "limited", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-client|list"]
        )
    url = server.url.replace("redis://", "redis://limited:pw@")
    async with Client(url) as client, Admin(url) as admin:
        await client.queue("mail").enqueue("work", 1)
        [glance] = (await Lookout(admin).look()).queues
    assert (glance.workers, glance.is_unserved) == (None, False)


async def test_more_queues_than_are_looked_at(
    admin: Admin, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first by name are shown, the others are counted."""
    for name in ("a", "b", "c"):
        await client.queue(name).enqueue("work", 1)
    monkeypatch.setattr(looking, "MOST_QUEUES", 2)
    view = await Lookout(admin).look()
    assert ([one.queue for one in view.queues], view.left_out) == (["a", "b"], 1)
