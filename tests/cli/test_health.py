"""Health as a container asks for it: over the port, and by the records."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from corral import SyncClient, WorkerRecord, WorkerState
from corral.cli.health import ailments
from tests.cli.conftest import Command
from tests.cli.program import Program
from tests.servers import ServerProcess, free_port

Start = Callable[..., Program]

BLOCKING = """
import os
import time

@jobs.task
async def block(path: str) -> None:
    while not os.path.exists(path):
        time.sleep(0.01)
"""


def get(port: int, path: str = "/readyz") -> tuple[int, dict[str, Any]]:
    """Ask; 0 where nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except ConnectionRefusedError:
        return 0, {}
    finally:
        connection.close()


def until(look: Callable[[], Any], wanted: Callable[[Any], bool], tries: int = 3000) -> Any:
    """Look until it is as wanted."""
    found = None
    for _ in range(tries):
        found = look()
        if wanted(found):
            return found
        signal.sigtimedwait([], 0.02)
    raise AssertionError(f"it stays as it is: {found}")


def test_a_worker_that_works(program: Start, command: Command) -> None:
    """It is ready at the port and healthy by its record; when it has stopped, nobody beats."""
    port = free_port()
    worker = program("worker", "shop:worker", "--health-port", str(port))
    assert until(lambda: get(port), lambda found: found[0] == 200)[1]["status"] == "healthy"
    assert get(port, "/healthz")[0] == 200
    found = until(lambda: command("health", "--here"), lambda result: result.exit_code == 0)
    assert f"{socket.gethostname()}-{worker.process.pid}: running" in found.stdout
    assert command("health", "--worker", "nobody").exit_code == 1
    assert worker.stop() == 0
    ended = command("health")
    assert (ended.exit_code, ended.stdout) == (1, "no worker beats\n")


def test_a_blocked_loop(
    program: Start, application: Path, client: SyncClient, queue_name: str, tmp_path: Path
) -> None:
    """A handler that blocks the loop makes the worker unhealthy, which says so at once; afterwards it is well."""
    source = (application / "shop.py").read_text()
    (application / "shop.py").write_text(source.replace("\n\nworker =", BLOCKING + "\n\nworker ="))
    port, gate = free_port(), tmp_path / "gate"
    program("worker", "shop:worker", "--health-port", str(port))
    until(lambda: get(port), lambda found: found[0] == 200)
    client.queue(queue_name).enqueue("block", str(gate))
    _, content = until(lambda: get(port, "/healthz"), lambda found: found[0] == 503)
    assert "the event loop has been blocked for" in content["reasons"][0]
    assert get(port)[0] == 503
    gate.touch()
    until(lambda: get(port, "/healthz"), lambda found: found[0] == 200)


def test_a_frozen_server(program: Start, make_server: Callable[..., ServerProcess]) -> None:
    """A server that answers nothing makes the worker unready, with the reason, and does not have it restarted; it is
    ready again when the server answers."""
    server, port = make_server(), free_port()
    program("worker", "shop:worker", "--health-port", str(port), "--url", server.url)
    until(lambda: get(port), lambda found: found[0] == 200)
    server.freeze()
    _, content = until(lambda: get(port), lambda found: found[0] == 503)
    assert "the server has not answered for" in content["reasons"][0]
    assert (content["status"], get(port, "/healthz")[0]) == ("unhealthy", 200)
    server.thaw()
    until(lambda: get(port), lambda found: found[0] == 200)


def test_several_processes(program: Start, client: SyncClient, queue_name: str) -> None:
    """The supervisor answers for all: ready when all are, and the number of one that does not answer is said."""
    port = free_port()
    worker = program("worker", "shop:worker", "--health-port", str(port), "--processes", "2")
    until(lambda: get(port), lambda found: found[0] == 200)
    pid = client.queue(queue_name).enqueue("process_id", {}).result(30)
    os.kill(pid, signal.SIGSTOP)
    try:
        _, content = until(lambda: get(port, "/healthz"), lambda found: found[0] == 503)
        assert content["status"] == "unhealthy"
        assert "does not say how it is" in content["reasons"][0]
        assert content["reasons"][0].startswith("process ")
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: get(port), lambda found: found[0] == 200)
    assert worker.stop() == 0


def test_a_port_that_is_taken(program: Start) -> None:
    """A worker that cannot listen does not start: exit code 2, and the port in the message."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for more in ([], ["--processes", "2"]):
            worker = program("worker", "shop:worker", "--health-port", port, *more)
            assert worker.ended() == 2
            assert port in worker.output


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("worker", "ill"),
    [
        (WorkerRecord("w", WorkerState.RUNNING, (), beat=NOW), []),
        (WorkerRecord("w", WorkerState.DRAINING, (), beat=NOW), []),
        (WorkerRecord("w", WorkerState.SILENT, (), beat=NOW), ["silent since 2026-01-01 00:00:00 UTC"]),
        (WorkerRecord("w", WorkerState.RUNNING, (), beat=NOW, troubles=("ill",)), ["ill"]),
        (
            WorkerRecord("w", WorkerState.RUNNING, (), beat=NOW, starved=timedelta(seconds=61)),
            ["no claim was answered for 61 s, and slots are free"],
        ),
    ],
    ids=["well", "draining", "silent", "in trouble", "starved"],
)
def test_by_its_record(worker: WorkerRecord, ill: list[str]) -> None:
    """Silence, troubles of its own and old claims are illnesses; to drain is none."""
    assert ailments(worker, timedelta(seconds=60)) == ill
