"""`corral relay` as it runs in earnest."""

from __future__ import annotations

import asyncio
import signal
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from corral import SyncClient, Task, TaskSet, task
from corral.store.database import Database
from corral.store.outbox import outbox
from corral.store.relay import PATIENCE
from tests.cli.conftest import Command
from tests.cli.program import Program
from tests.faults.witness import until
from tests.instrumentation.scraped import Scraped
from tests.servers import ServerProcess, free_port


@pytest.fixture
def database_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that is not there yet."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    monkeypatch.setenv("CORRAL_DATABASE_URL", url)
    return url


@pytest.fixture
def commit(database_url: str, queue_name: str) -> Callable[..., None]:
    """Write jobs into the outbox, in a transaction of the application's."""

    class Tasks(TaskSet, queue=queue_name):
        """What the application does."""

        greet: Task[str, None] = task("greet")

    async def committed(names: tuple[str, ...]) -> None:
        async with Database(database_url) as database:
            await database.migrate()
            async with database.writing() as session:
                await Tasks.greet.enqueue_many(outbox(session), names)

    return lambda *names: asyncio.run(committed(names))


def lag(port: int) -> float | None:
    """How far behind it says it is."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return Scraped(answer.read()).value("corral_outbox_lag_seconds")


def test_once(commit: Callable[..., None], command: Command, client: SyncClient, queue_name: str) -> None:
    """It moves what is there, says how much, and ends."""
    commit("Ada", "Edsger")
    done = command("relay", "--once")
    assert (done.exit_code, done.stderr.strip()) == (0, "2 jobs moved")
    assert [job.data for job in client.queue(queue_name).jobs("waiting")] == ["Ada", "Edsger"]


def test_it_moves_until_it_is_told_to_stop(
    program: Callable[..., Program],
    commit: Callable[..., None],
    client: SyncClient,
    queue_name: str,
    database_url: str,
) -> None:
    """What is committed while it runs, too; it makes its tables, answers how it is, and SIGTERM ends it with 0."""
    port = free_port()
    mover = program("relay", "--health-port", str(port), CORRAL_DATABASE_URL=database_url)
    mover.says("outbox of")
    commit("Ada")
    until(lambda: client.queue(queue_name).jobs("waiting"), 20, "the job has arrived")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
        assert answer.status == 200
    until(lambda: lag(port) == 0, 20, "its row is gone")
    assert mover.stop() == 0
    assert "Traceback" not in mover.output


def test_a_second_signal_ends_it_at_once(
    program: Callable[..., Program],
    commit: Callable[..., None],
    make_server: Callable[..., ServerProcess],
    database_url: str,
) -> None:
    """The first one lets a batch go on that a server does not answer; its rows stay."""
    server = make_server()
    mover = program("relay", "--url", server.url, CORRAL_DATABASE_URL=database_url)
    mover.says("outbox of")
    server.freeze()
    commit("Ada")
    mover.process.send_signal(signal.SIGTERM)
    since = time.monotonic()
    mover.process.send_signal(signal.SIGINT)
    assert mover.ended() == 0
    assert time.monotonic() - since < PATIENCE
    assert "Traceback" not in mover.output


def test_health_is_of_a_relay_that_goes_on(command: Command) -> None:
    """With --once nobody could ask."""
    done = command("relay", "--once", "--health-port", "9000")
    assert done.exit_code == 2
    assert "--health-port" in done.stderr


def test_what_cannot_start(program: Callable[..., Program], database_url: str) -> None:
    """A URL that cannot be read is exit code 2, and the remedy."""
    mover = program("relay", "--url", "http://127.0.0.1", CORRAL_DATABASE_URL=database_url)
    assert mover.ended() == 2
    assert "redis://" in mover.output
    assert "Traceback" not in mover.output
