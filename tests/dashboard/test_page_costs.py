"""What a page costs the server: a budget of round trips and commands, whatever is in the queues. The numbers only go
down."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import redis.asyncio
from starlette.applications import Starlette

from corral import Admin, Client
from corral.admin import queue_names
from corral.contracts.stretch import MINUTE_MS
from corral.dashboard.app import create_dashboard
from corral.engine.link import Link
from tests.admin import failing
from tests.admin.samples_of_time import write_samples
from tests.dashboard.conftest import OUR_PAGE, by_role
from tests.servers import ServerProcess

NOW = int(time.time()) * 1000 // MINUTE_MS * MINUTE_MS
OVERVIEW_TRIPS = 4
"""Glances, connections, beats, and the past."""
OVERVIEW_COMMANDS = 25
"""A queue: a glance, its beats, its past."""
FAILING_TRIPS = 5 * 3
"""Of the five queues in which something failed last: the cursor, what is new, the groups."""
BUDGET = {
    "/queues/q0": 13,
    "/queues/q0?range=7d": 13,
    "/queues/q0?state=failed&start=50": 13,
    "/queues/q0/jobs/j1": 11,
    "/queues/q0/failures": 9,
    "/queues/q0/schedules": 6,
}
"""Round trips of the pages of one queue."""

Cost = Callable[[str], Any]


@pytest.fixture
async def raw(counted_server: ServerProcess) -> AsyncIterator[redis.asyncio.Redis]:
    """The server itself, empty."""
    async with redis.asyncio.Redis.from_url(counted_server.url, decode_responses=True) as raw:
        yield raw
        await raw.flushall()


@pytest.fixture
async def client(counted_server: ServerProcess) -> AsyncIterator[Client]:
    """A producer."""
    async with Client(counted_server.url, prefix="p") as client:
        yield client


@pytest.fixture
async def dashboard(
    counted_server: ServerProcess, monkeypatch: pytest.MonkeyPatch, raw: redis.asyncio.Redis
) -> AsyncIterator[Starlette]:
    """Pages that look for queues only once: that is not counted."""
    monkeypatch.setattr(queue_names, "FRESH", 1e9)
    async with Admin(counted_server.url, prefix="p") as admin:
        made = create_dashboard(admin, authenticate=by_role, environment={})
        yield made
        await made.state.desk.close()


@pytest.fixture
async def cost(
    dashboard: Starlette, monkeypatch: pytest.MonkeyPatch, raw: redis.asyncio.Redis
) -> AsyncIterator[Cost]:
    """Open a page, and say how many round trips and commands it took, those inside of scripts included."""
    trips = 0
    in_time: Any = Link._in_time

    async def counted(self: Link, *arguments: Any) -> Any:
        nonlocal trips
        trips += 1
        return await in_time(self, *arguments)

    monkeypatch.setattr(Link, "_in_time", counted)
    headers = {**OUR_PAGE, "x-role": "admin"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(dashboard), base_url="http://corral", headers=headers
    ) as browser:

        async def open_page(path: str) -> tuple[int, int]:
            nonlocal trips
            for _ in range(4):  # scripts are loaded, connections are made, what failed is filed
                assert (await browser.get(path)).status_code == 200
            await raw.config_resetstat()
            trips = 0
            assert (await browser.get(path)).status_code == 200
            counted = trips
            stats: Any = await raw.info("commandstats")
            own = ("cmdstat_info", "cmdstat_config|resetstat", "cmdstat_client|setinfo", "cmdstat_hello")
            return counted, sum(row["calls"] for name, row in stats.items() if name not in own)

        yield open_page


async def fill(
    client: Client, raw: redis.asyncio.Redis, queues: int, *, jobs: int, failures: int, minutes: int
) -> None:
    """Queues with waiting and failed jobs, and with samples, in place of all that there is."""
    await raw.flushall()
    for number in range(queues):
        queue = client.queue(f"q{number}")
        await queue.enqueue_many("n", list(range(jobs)))
        await queue.enqueue("n", 1, job_id="j1")
        keys = client.server.keys(queue.name)
        await failing.fail(raw, keys, [f"f{at}" for at in range(failures)])
        await write_samples(raw, keys, NOW, range(-minutes, 0), completed=3)


async def test_the_overview_is_pipelined(
    cost: Cost, client: Client, raw: redis.asyncio.Redis, dashboard: Starlette
) -> None:
    """Round trips do not grow with the number of queues, and each queue costs some commands."""
    await fill(client, raw, 6, jobs=1, failures=1, minutes=10)
    few = await cost("/")
    dashboard.state.desk.queue_names.forget()
    await fill(client, raw, 30, jobs=1, failures=1, minutes=10)
    many = await cost("/")
    assert many[0] == few[0] <= OVERVIEW_TRIPS + FAILING_TRIPS
    assert (many[1] - few[1]) / 24 <= OVERVIEW_COMMANDS


@pytest.mark.parametrize("path", ["/", "/?range=7d", *BUDGET, "/failures", "/schedules", "/workers"])
async def test_what_is_in_a_queue_costs_nothing(
    cost: Cost, client: Client, raw: redis.asyncio.Redis, dashboard: Starlette, path: str
) -> None:
    """A page takes as many round trips and commands with many jobs, failures and samples as with a page full of
    them."""
    await fill(client, raw, 2, jobs=120, failures=120, minutes=100)
    some = await cost(path)
    await fill(client, raw, 2, jobs=3000, failures=240, minutes=3000)
    more = await cost(path)
    assert more == some
    assert some[0] <= BUDGET.get(path, OVERVIEW_TRIPS + FAILING_TRIPS)
