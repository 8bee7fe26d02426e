"""Events over HTTP: as they happen, from where one left, over one reader, until either side has enough."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from corral.client.queue import QueueClient
from corral.contracts.event import Event
from corral.http import event_stream
from corral.http.serving import listening_socket, serve
from corral.store.roles import Role
from tests.http.conftest import Secrets


@pytest.fixture
async def base_url(api: FastAPI, secrets: Secrets) -> AsyncIterator[str]:
    """The API behind a real socket, and what to send to it, with a space between."""
    listening = listening_socket("127.0.0.1", 0)
    serving = asyncio.create_task(serve(api, listening, on_stop=api.state.desk.feed.close))
    yield f"http://127.0.0.1:{listening.getsockname()[1]} {secrets.headers(Role.VIEWER)['Authorization']}"
    signal.raise_signal(signal.SIGTERM)
    await serving


@asynccontextmanager
async def followed(api: str, queue: str, **headers: str) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The events of a queue as a browser would read them."""
    base_url, _, token = api.partition(" ")
    sent = {"Authorization": token, **headers}
    async with (
        httpx.AsyncClient(base_url=base_url, headers=sent, timeout=20) as http,
        http.stream("GET", f"/api/v1/queues/{queue}/events") as answer,
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (
            200,
            "text/event-stream; charset=utf-8",
        )
        yield messages(answer.aiter_lines())


async def messages(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """What the stream says, without its comments; the first comment comes through as an empty message."""
    message: dict[str, Any] = {}
    async for line in lines:
        if not line:
            yield {**message, "data": json.loads(message["data"])} if "data" in message else message
            message = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            message[name] = value


async def test_events_arrive_as_they_happen(base_url: str, produced: QueueClient) -> None:
    """Each with its id, its name, and its job."""
    await produced.enqueue("send")
    async with followed(base_url, produced.name) as stream:
        assert await anext(stream) == {}
        job = await produced.enqueue("send", job_id="second")
        told = [await anext(stream) for _ in range(2)]
        assert [(one["data"]["event"], one["data"]["jobId"]) for one in told] == [
            ("added", job.id),
            ("waiting", job.id),
        ]
        assert all(one["id"] == one["data"]["id"] for one in told)


async def test_who_comes_back_misses_nothing(base_url: str, produced: QueueClient) -> None:
    """`Last-Event-ID` goes on behind that event, also while another connection is further ahead."""
    await produced.enqueue("send", job_id="first")
    async with followed(base_url, produced.name) as ahead:
        await anext(ahead)
        await produced.enqueue("send", job_id="second")
        seen = [await anext(ahead) for _ in range(2)]
        async with followed(base_url, produced.name, **{"Last-Event-ID": seen[0]["id"]}) as back:
            await anext(back)
            await produced.enqueue("send", job_id="third")
            told = [await anext(back) for _ in range(3)]
    assert [(one["data"]["event"], one["data"]["jobId"]) for one in told] == [
        ("waiting", "second"),
        ("added", "third"),
        ("waiting", "third"),
    ]


async def test_what_is_not_kept_is_said(base_url: str, produced: QueueClient, raw: Any, prefix: str) -> None:
    """An event `missed` says that some are gone, and the stream goes on from there."""
    for _ in range(3):
        await produced.enqueue("send")
    await raw.xtrim(f"{prefix}:{produced.name}:events", maxlen=1, approximate=False)
    async with followed(base_url, produced.name, **{"Last-Event-ID": "5-0"}) as stream:
        await anext(stream)
        assert (await anext(stream))["event"] == "missed"
        await produced.enqueue("send", job_id="later")
        assert (await anext(stream))["data"]["jobId"] == "later"


async def test_one_reader_serves_all(base_url: str, produced: QueueClient, api: FastAPI, raw: Any) -> None:
    """Ten connections cost one connection to the server, which is closed behind the last of them."""
    await produced.enqueue("send")
    async with asyncio.TaskGroup() as group:
        ready, leave = asyncio.Semaphore(0), asyncio.Event()

        async def listen() -> None:
            async with followed(base_url, produced.name) as stream:
                await anext(stream)
                ready.release()
                await leave.wait()
                assert (await anext(stream))["data"]["jobId"] == "told"

        for _ in range(10):
            group.create_task(listen())
        for _ in range(10):
            await ready.acquire()
        reading = [one for one in await raw.client_list() if one["cmd"] == "xread"]
        assert len(reading) == 1
        await produced.enqueue("send", job_id="told")
        leave.set()
    async with asyncio.timeout(10):
        while api.state.desk.feed.queues:
            await produced.counts()


@pytest.mark.parametrize("after", ["x", "1-", "-1", "9" * 30, "1-1\n", "<script>"])
async def test_a_place_that_is_none_is_refused(
    http: httpx.AsyncClient, produced: QueueClient, after: str
) -> None:
    """422 before anything is sent."""
    await produced.enqueue("send")
    answer = await http.get(f"/api/v1/queues/{produced.name}/events", params={"after": after})
    assert answer.status_code == 422


async def test_no_event_can_be_forged(api: FastAPI) -> None:
    """Line breaks of any kind in what jobs say stay inside of the one line of JSON."""
    evil = 'x\n\ndata: {"event": "completed"}\r\rid: 1\u2028\u0085'
    event = Event("1-1", evil, evil, "q", {"failedReason": evil})
    text = event_stream.event_text(api.state.desk, event)
    assert text.count("\n") == 3
    assert "\r" not in text
    assert json.loads(text.split("data: ", 1)[1])["jobId"] == evil


async def test_a_client_that_takes_nothing_is_dropped(
    base_url: str, produced: QueueClient, api: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing piles up for it, and its place is free again."""
    monkeypatch.setattr(event_stream, "PATIENCE", 0.2)
    await produced.enqueue("send")
    address, _, token = base_url.removeprefix("http://").partition(" ")
    host, port = address.split(":")
    with socket.create_connection((host, int(port))) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.sendall(
            f"GET /api/v1/queues/{produced.name}/events HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: {token}\r\n\r\n".encode()
        )
        async with asyncio.timeout(30):
            while not api.state.desk.feed.queues:
                await produced.publish("waking")
            while api.state.desk.feed.queues:
                await asyncio.gather(*(produced.publish("filling", {"text": "x" * 60_000}) for _ in range(5)))


async def test_a_stop_ends_the_streams(api: FastAPI, produced: QueueClient, secrets: Secrets) -> None:
    """Open streams do not keep the program from ending."""
    await produced.enqueue("send")
    listening = listening_socket("127.0.0.1", 0)
    serving = asyncio.create_task(serve(api, listening, on_stop=api.state.desk.feed.close))
    token = secrets.headers(Role.VIEWER)["Authorization"]
    url = f"http://127.0.0.1:{listening.getsockname()[1]} {token}"
    async with followed(url, produced.name) as stream, asyncio.timeout(8):
        await anext(stream)
        signal.raise_signal(signal.SIGTERM)
        assert [one async for one in stream] == []
        await serving
