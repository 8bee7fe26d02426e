"""Jobs in no state: found and removed, wherever all the others are."""

from __future__ import annotations

import pytest

from corral.admin import orphans
from corral.admin.queue import QueueAdmin
from corral.client.queue import QueueClient
from corral.engine.browse_queue import ListChangesTooFast
from tests.interop.snapshot import Raw


@pytest.fixture(params=[1, 100_000])
def rounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lists are read for each page of keys, or once for all."""
    monkeypatch.setattr(orphans, "SUSPECTS", request.param)


@pytest.mark.usefixtures("rounds")
async def test_orphans(operated: QueueAdmin, produced: QueueClient, raw: Raw, prefix: str) -> None:
    """Lost jobs are found, iterations of schedules and mere remains among them; nothing else is touched."""
    base = f"{prefix}:{operated.name}"
    await produced.enqueue_many("x", [{}] * 50)
    await produced.enqueue_many("x", [{}] * 5, priority=1)
    await produced.enqueue_many("x", [{}] * 5, delay=60)
    await raw.hset(f"{base}:metrics:failed", "count", "1")
    await raw.hset(f"{base}:repeat:s", mapping={"name": "s", "ic": "1", "every": "5"})
    await raw.set(f"{base}:de:x", "lost")
    kept = {key async for key in raw.scan_iter(match=f"{prefix}*")}
    await raw.hset(f"{base}:lost", mapping={"name": "n", "timestamp": "1"})
    await raw.hset(f"{base}:repeat:s:5", mapping={"name": "s", "timestamp": "1"})
    await raw.rpush(f"{base}:gone:logs", "x")
    assert sorted(await operated.orphans()) == ["gone", "lost", "repeat:s:5"]
    assert len(await operated.orphans(limit=2)) == 2
    seen: list[tuple[int, int]] = []
    assert await operated.remove_orphans(on_progress=lambda done, total: seen.append((done, total))) == 3
    assert {key async for key in raw.scan_iter(match=f"{prefix}*")} == kept
    assert seen
    assert await operated.orphans() == []


async def test_a_list_that_cannot_be_read(
    operated: QueueAdmin, raw: Raw, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In doubt nobody is an orphan."""
    await raw.hset(f"{prefix}:{operated.name}:lost", mapping={"name": "n", "timestamp": "1"})

    def too_fast(*_: object) -> object:
        raise ListChangesTooFast

    monkeypatch.setattr(orphans, "listed_ids", too_fast)
    assert await operated.orphans() == []
    assert await operated.remove_orphans() == 0
