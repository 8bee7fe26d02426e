"""The health endpoint over real sockets: it answers, whatever others send, and while a loop is blocked."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corral import Client, InvalidOption, Queue, Worker
from corral.worker.endpoint import fleet, health_endpoint
from corral.worker.endpoint.fleet import fleet_health, socket_of
from corral.worker.endpoint.health_endpoint import HealthEndpoint, listen, listen_locally
from corral.worker.health import UNHEALTHY, Health, HealthLimits
from tests.worker.test_worker import until

GOOD = Health(live=True, ready=True, status="healthy")
ILL = Health(live=False, ready=False, status=UNHEALTHY, reasons=("it is ill",))


async def good() -> Health:
    """A worker that is well."""
    return GOOD


async def ill() -> Health:
    """One that is not."""
    return ILL


@pytest.fixture
def port() -> Iterator[int]:
    """The port of an endpoint."""
    listening = listen("127.0.0.1", 0)
    with HealthEndpoint(listening, good):
        yield listening.getsockname()[1]


def get(port: int, path: str = "/readyz") -> tuple[int, Any]:
    """Ask."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read())
    connection.close()
    return found


def said(port: int, request: bytes) -> bytes:
    """What is answered to any bytes, until the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        try:
            connection.sendall(request)
            with contextlib.suppress(OSError):  # it has hung up already
                connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))
        except ConnectionError:
            return b""


def test_it_answers(port: int) -> None:
    """A request gets the health as JSON."""
    assert get(port) == (200, {"status": "healthy", "live": True, "ready": True, "reasons": []})
    assert get(port, "/metrics")[0] == 501, "nobody measures it"
    assert get(port, "/elsewhere")[0] == 404


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"\x00" * 100,
        b"GET /healthz",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
        b"POST /healthz HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000,
    ],
    ids=["nothing", "zeros", "half a line", "a long path", "many headers", "a large body"],
)
def test_hostile_requests(port: int, request_: bytes) -> None:
    """Whatever is sent gets an error or nothing, never 200 and never more; the next one is served."""
    assert not said(port, request_).startswith(b"HTTP/1.1 200")
    assert get(port)[0] == 200


def test_the_silent_keep_nobody_out(port: int) -> None:
    """More connections than there may be, none of which says anything, do not keep a request waiting."""
    idle = [
        socket.create_connection(("127.0.0.1", port)) for _ in range(health_endpoint.MOST_CONNECTIONS * 3)
    ]
    assert get(port)[0] == 200
    for connection in idle:
        connection.close()


def test_the_slow_are_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that does not come to its end within its time ends without an answer."""
    monkeypatch.setattr(health_endpoint, "REQUEST_SECONDS", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(100) == b""


def test_a_port_that_is_taken(port: int) -> None:
    """It is said before the worker starts, with the port."""
    with pytest.raises(InvalidOption, match=str(port)):
        listen("127.0.0.1", port)


async def test_a_blocked_loop_is_reported(client: Client, queue_name: str) -> None:
    """While a handler blocks the loop, the endpoint answers at once that it does, and for how long. Afterwards the
    worker is live again."""
    tasks, done = Queue(queue_name), threading.Event()
    answers: list[Any] = []

    @tasks.task
    async def block(number: int) -> None:
        assert done.wait(30)

    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]

    def watch() -> None:
        while not answers or answers[-1][0] == 200:
            answers.append(get(port, "/healthz"))
        done.set()

    async with Worker(tasks, client=client) as worker:
        vitals = worker._shift._vitals  # type: ignore[union-attr]
        assert vitals is not None
        vitals._limits = HealthLimits(block=0.3)

        async def health() -> Health:
            return worker.health()

        with HealthEndpoint(listening, health):
            watching = threading.Thread(target=watch)  # before the loop is blocked
            watching.start()
            job = await block.enqueue(client, 1)
            await job.wait(timeout=40)
            await asyncio.to_thread(watching.join)
            status, content = answers[-1]
            assert (status, content["status"], content["live"]) == (503, "unhealthy", False)
            assert "event loop has been blocked" in content["reasons"][0]
            await until(lambda: worker.health().live)


class TestFleet:
    """Several processes, asked one by one."""

    async def test_all_have_to_be_healthy(self, tmp_path: Path) -> None:
        """When all are well, so is the fleet; the reasons of one that is not have its number."""
        with (
            HealthEndpoint(listen_locally(socket_of(tmp_path, 1)), good),
            HealthEndpoint(listen_locally(socket_of(tmp_path, 2)), good) as second,
        ):
            assert await fleet_health(tmp_path, 2) == GOOD
            second._health = ill
            found = await fleet_health(tmp_path, 2)
        assert found == Health(False, False, UNHEALTHY, ("process 2: it is ill",))

    async def test_one_that_is_not_there(self, tmp_path: Path) -> None:
        """A process that is being replaced makes the fleet unready, and no reason to restart it."""
        with HealthEndpoint(listen_locally(socket_of(tmp_path, 1)), good):
            found = await fleet_health(tmp_path, 2)
        assert (found.live, found.ready, found.status) == (True, False, "starting")
        assert "process 2" in found.reasons[0]

    async def test_one_that_does_not_answer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A process that is there and says nothing in time, or nonsense, is not live."""
        monkeypatch.setattr(fleet, "ASK_SECONDS", 0.2)
        mute = listen_locally(socket_of(tmp_path, 1))
        found = await fleet_health(tmp_path, 1)
        assert (found.live, found.status) == (False, UNHEALTHY)
        assert "no answer within 0.2 s" in found.reasons[0]
        mute.close()
