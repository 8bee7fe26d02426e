"""Whatever stands in a path, a query, a header or a body, and whatever other programs have stored: never a 5xx, and
what comes back is what went in, as JSON."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from corral.client.queue import QueueClient
from corral.contracts.names import lookup_job_id
from tests.http.hostile import HOSTILE

ENDLESS = re.compile(r"/events\Z")


async def test_in_every_path(http: httpx.AsyncClient, api: FastAPI, produced: QueueClient) -> None:
    """As a queue, a job, a schedule, a state."""
    await produced.enqueue("send", job_id="one")
    for context in iter_route_contexts(api.router.routes):
        for text in HOSTILE:
            for known in ({}, {"queue": produced.name}, {"queue": produced.name, "job_id": "one"}):
                path = _filled(context.path or "", known, text)
                if ENDLESS.search(path) and known:
                    continue
                for method in context.methods or ():
                    answer = await http.request(method, path)
                    assert answer.status_code < 500, (method, path, answer.text)


async def test_in_every_query(http: httpx.AsyncClient, produced: QueueClient) -> None:
    """Under the names that there are, and under its own."""
    await produced.enqueue("send", job_id="one")
    base = f"/api/v1/queues/{produced.name}"
    for path, names in {
        f"{base}/jobs": ("state", "limit", "cursor"),
        f"{base}/jobs/one/logs": ("limit", "cursor"),
        f"{base}/jobs/one/flow": ("depth", "width"),
        f"{base}/metrics/failed": ("minutes",),
        f"{base}/schedules": ("limit", "cursor"),
        "/api/v1/queues": ("limit", "cursor"),
    }.items():
        for text in HOSTILE:
            for name in (*names, text):
                answer = await http.get(path, params={name: text})
                assert answer.status_code < 500, (path, name, text, answer.text)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_in_every_field(http: httpx.AsyncClient, produced: QueueClient, text: str) -> None:
    """Of every body, as text, as a key, and nested deeply."""
    await produced.enqueue("send", job_id="one")
    base = f"/api/v1/queues/{produced.name}"
    deep: Any = text
    for _ in range(150):
        deep = [deep]
    values = [text, {text: text}, [text], deep]
    for value in values:
        for method, path, fields in (
            ("POST", "/api/admin/job", ("handler", "payload", "queue", "options")),
            ("PATCH", base, ("concurrency", "rateLimit", "maxEvents", "peers")),
            ("POST", f"{base}/cleanings", ("state", "olderThan", "limit")),
            ("POST", f"{base}/obliterations", ("confirm", "force")),
            ("POST", f"{base}/retries", ("ids", "state", "where", "limit", "dryRun")),
            ("POST", f"{base}/removals", ("ids",)),
            ("POST", f"{base}/jobs/one/retries", ("lifo", "resetAttempts")),
            ("POST", f"{base}/jobs/one/logs", ("line",)),
            ("PATCH", f"{base}/jobs/one", ("data", "priority", "delay")),
            ("PUT", f"{base}/schedules/one", ("handler", "payload", "rule")),
            ("POST", f"{base}/schedules/previews", ("pattern", "tz", "every")),
        ):
            for field in (*fields, text):
                answer = await http.request(method, path, json={field: value})
                assert answer.status_code < 500, (method, path, field, answer.text)
    job = {"handler": f"{produced.name}:{text}", "payload": {text: deep}, "options": {"jobId": f"x-{text}"}}
    answer = await http.post("/api/admin/job", json=job)
    if answer.status_code == 201:
        found = await http.get(f"{base}/jobs/{quote(answer.json()['id'], safe='')}")
        assert (found.status_code, found.json()["name"], found.json()["data"]) == (200, text, {text: deep})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": "x", "data": "{broken", "opts": "[1]", "timestamp": "never", "stacktrace": "no"},
        {"name": "x", "data": "1e400", "opts": "{}", "timestamp": "9" * 40, "finishedOn": "1e308"},
        {"name": "x", "data": '"\\ud800"', "opts": '{"attempts": "many"}', "progress": "NaN"},
        {"name": "x", "data": "[" * 5000, "atm": "-1", "priority": "x", "failedReason": b"\xff\xfe"},
        {b"\xff": b"\xff", "name": b"\xff", "data": b"\xff"},
    ],
    ids=range(6),
)
async def test_what_others_have_stored(
    http: httpx.AsyncClient, produced: QueueClient, raw: Any, prefix: str, fields: dict[Any, Any]
) -> None:
    """A job that is damaged is shown, with what could not be read."""
    await produced.enqueue("send", job_id="one")
    await raw.delete(f"{prefix}:{produced.name}:one")
    await raw.hset(f"{prefix}:{produced.name}:one", mapping={"x": "y", **fields})
    base = f"/api/v1/queues/{produced.name}"
    for path in ("jobs/one", "jobs?state=waiting", "jobs/one/flow", "jobs/one/explanation", "jobs/one/logs"):
        answer = await http.get(f"{base}/{path}")
        assert answer.status_code == 200, answer.text
        json.loads(answer.text, parse_constant=_refuse)


async def test_a_key_of_another_kind(
    http: httpx.AsyncClient, produced: QueueClient, raw: Any, prefix: str
) -> None:
    """Where a job should be, or a list of jobs, stands something else: no 5xx but the one that says so."""
    await produced.enqueue("send", job_id="one")
    await raw.set(f"{prefix}:{produced.name}:{lookup_job_id('text')}", "x")
    answer = await http.get(f"/api/v1/queues/{produced.name}/jobs/text")
    assert answer.status_code < 500


def _filled(path: str, known: dict[str, str], text: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda name: quote(known.get(name[1], text), safe=""), path)


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")
