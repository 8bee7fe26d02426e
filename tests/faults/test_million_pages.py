"""With a million jobs in a queue every page and every answer of the API comes within 200 ms."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import redis
from starlette.requests import HTTPConnection
from starlette.routing import Route

from corral import Admin
from corral.dashboard.app import create_dashboard
from corral.http.access import Principal
from corral.http.app import create_api
from corral.store.database import Database
from corral.store.roles import Role
from tests.servers import ServerProcess

pytestmark = [pytest.mark.faults, pytest.mark.alone]

JOBS = 1_000_000
CHUNK = 2_000
BOUND = 0.2
TIMES = 9
FILL = """
for n = tonumber(ARGV[1]), tonumber(ARGV[2]) do
  local id = string.format('job-%07d', n)
  local key, now = 'p:q:' .. id, 1800000000000 + n
  redis.call('HSET', key, 'name', 'n', 'data', '{"n":' .. n .. '}', 'opts', '{"attempts":3}', 'timestamp', now,
    'delay', 0, 'priority', 0, 'ats', 1)
  if n % 10 == 0 then
    redis.call('HSET', key, 'atm', 3, 'processedOn', now, 'finishedOn', now, 'failedReason',
      'service ' .. n % 7 .. ' refused ' .. n, 'stacktrace', '["Error: refused\\\\n    at send (/app/mail.js:1:1)"]')
    redis.call('ZADD', 'p:q:failed', now, id)
  elseif n % 9 == 0 then
    redis.call('HSET', key, 'atm', 1, 'processedOn', now, 'finishedOn', now, 'returnvalue', 'null')
    redis.call('ZADD', 'p:q:completed', now, id)
  elseif n % 8 == 0 then
    redis.call('ZADD', 'p:q:delayed', now * 4096, id)
  else
    redis.call('LPUSH', 'p:q:wait', id)
  end
end
"""
OTHERS = 20
SAMPLE = """
local now, step = tonumber(ARGV[1]), tonumber(ARGV[2])
for n = tonumber(ARGV[3]), 1, -1 do
  redis.call('XADD', KEYS[1], (now - n * step) .. '-0', 'stretch', ARGV[4])
end
"""


def write_a_week(raw: redis.Redis, queue: str) -> None:
    """Seven days of samples, as samplers would have written them."""
    raw.hset(f"p:{queue}:meta", "version", "bullmq:6.7.0")
    fields = [[1200, 3, 40000, 8, 2, 90000, 120], 812, 3, 200, 35, 900, 120, 2400, 5300]
    now = int(time.time()) // 900 * 900_000
    write = raw.register_script(SAMPLE)
    for key, step, number, minutes in (("samples", 60_000, 10_080, []), ("quarters", 900_000, 672, [15])):
        write(keys=[f"p::corral:{queue}:{key}"], args=[now, step, number, json.dumps(fields + minutes)])


@pytest.fixture(scope="module")
def million(server_kind: str) -> Iterator[ServerProcess]:
    """A server with a queue of a million jobs: most wait, others are delayed, completed, failed. It and twenty others
    have been sampled for a week."""
    with ServerProcess(server_kind) as process, redis.Redis.from_url(process.url, socket_timeout=60) as raw:
        raw.hset("p:q:meta", "version", "bullmq:6.7.0")
        fill = raw.register_script(FILL)
        for first in range(1, JOBS + 1, CHUNK):
            fill(args=[first, first + CHUNK - 1])
        for queue in ("q", *(f"other-{number:02}" for number in range(OTHERS))):
            write_a_week(raw, queue)
        yield process


async def somebody(_: HTTPConnection) -> Principal:
    """An admin."""
    return Principal("ann", Role.ADMIN)


@pytest.fixture
async def admin(million: ServerProcess) -> AsyncIterator[Admin]:
    """An admin of it."""
    async with Admin(million.url, prefix="p") as admin:
        yield admin


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Where cron jobs and the operator log live."""
    async with Database(f"sqlite:///{tmp_path / 'corral.db'}") as database:
        await database.migrate()
        yield database


async def slow_answers(app: object, paths: list[str]) -> dict[str, float]:
    """The paths whose median of some answers is above the bound, with that median. Prints all."""
    found = {}
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://corral", timeout=30) as http:
        for path in paths:
            times = []
            for _ in range(TIMES):
                began = time.perf_counter()
                answer = await http.get(path)
                times.append(time.perf_counter() - began)
                assert answer.status_code == 200, (path, answer.status_code, answer.text[:300])
            print(f"{statistics.median(times) * 1000:7.1f} ms  {max(times) * 1000:7.1f} ms  {path}")
            if statistics.median(times) > BOUND:
                found[path] = statistics.median(times)
    return found


async def test_pages(admin: Admin, database: Database) -> None:
    """Every screen, each state, deep pages, a search, and a job in the middle of the line."""
    app = create_dashboard(admin, authenticate=somebody, database=database, environment={})
    states = ("waiting", "active", "prioritized", "delayed", "waiting-children", "completed", "failed")
    known = {
        "/", "/queues/{queue}", "/queues/{queue}/jobs/{job}", "/queues/{queue}/jobs/{job}/{part}.json",
        "/queues/{queue}/events", "/assets/{version}/{name}",
    }  # fmt: skip
    screens = {
        route.path for route in app.routes if isinstance(route, Route) and "GET" in (route.methods or ())
    }
    paths = [
        "/",
        *(f"/?range={span}" for span in ("6h", "24h", "7d")),
        *(f"/queues/q?range={span}" for span in ("6h", "24h", "7d")),
        *(f"/queues/q?state={state}" for state in states),
        *(f"/queues/q?state={state}&start=50000" for state in ("waiting", "delayed", "failed")),
        "/queues/q?state=waiting&start=600000",
        "/queues/q?state=failed&q=nothing-like-it",
        *(f"/queues/q/jobs/job-{number:07d}" for number in (1, 499_999, 500_000, 999_999)),
        "/queues/q/jobs/job-0500000/data.json",
        *sorted(path for path in screens - known if "{" not in path),
    ]
    assert await slow_answers(app, paths) == {}
    await app.state.desk.close()


async def test_api(admin: Admin, database: Database) -> None:
    """Every answer that reads something of a queue or of a job."""
    api = create_api(admin, authenticate=somebody, database=database)
    paths = []
    for path, verbs in api.openapi()["paths"].items():
        made = path.replace("{queue}", "q").replace("{job_id}", "job-0499999")
        wanted = [one["name"] for one in verbs.get("get", {}).get("parameters", ()) if one["required"]]
        if "get" in verbs and "{" not in made and not made.endswith("/events"):
            paths.append(f"{made}?state=completed" if "state" in wanted else made)
    assert len(paths) > 10
    paths += [
        f"/api/v1/queues/q/jobs?state={state}" for state in ("waiting", "delayed", "completed", "failed")
    ]
    assert await slow_answers(api, paths) == {}
    await api.state.desk.close()
