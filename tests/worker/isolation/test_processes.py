"""`InProcess` handlers run in child processes that can really be killed."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from corral.contracts.context import Context
from corral.contracts.outcome import HandlerSignal, RetryAt, Snooze, Unrecoverable
from corral.errors import HandlerRaised, ProcessDied, StaleRun
from corral.worker.isolation.processes import ProcessRunner
from tests.worker.isolation import process_handlers as handlers


@pytest.fixture
async def runner() -> AsyncIterator[ProcessRunner]:
    """A runner of at most two processes."""
    made = ProcessRunner(2)
    yield made
    await made.close()


class Announced:
    """A socket on which handlers tell the test what it waits for."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(self.path)
        self._socket.listen()
        self._socket.settimeout(20)

    def next_pidfd(self) -> int:
        """A descriptor of the process that a handler announces; readable once it has ended."""
        connection, _ = self._socket.accept()
        with connection:
            return os.pidfd_open(int(connection.recv(100)))

    def let_go(self, count: int) -> None:
        """Let handlers that meet go on, once so many of them wait at the same time."""
        waiting = [self._socket.accept()[0] for _ in range(count)]
        for connection in waiting:
            connection.close()

    def close(self) -> None:
        """Listen no longer."""
        self._socket.close()


@pytest.fixture
def announced(tmp_path: Path) -> Iterator[Announced]:
    """What handlers announce."""
    made = Announced(tmp_path / "s")
    yield made
    made.close()


def ended(pidfd: int, within: float = 0.0) -> bool:
    """Whether the process has ended."""
    return bool(select.select([pidfd], [], [], within)[0])


class FakeContext:
    """What a worker offers to a handler, remembering what it was told."""

    job_id, queue, name, attempt, attempts, kind = "7", "images", "resize", 2, 3, "adhoc"
    timestamp = datetime(2026, 11, 28, tzinfo=UTC)

    def __init__(self) -> None:
        self.told: asyncio.Queue[Any] = asyncio.Queue()
        self.stale = False

    async def progress(self, value: Any) -> None:
        """Remember progress."""
        if self.stale:
            raise StaleRun("7")
        self.told.put_nowait(value)

    async def log(self, text: str) -> None:
        """Remember a line."""
        self.told.put_nowait(text)


def as_context(fake: FakeContext) -> Context:
    """The fake as what it stands for."""
    return cast("Context", fake)


async def test_payload_and_result_cross(runner: ProcessRunner) -> None:
    """The payload arrives in the child as the object it is, and the result comes back as one."""
    assert await runner.run(handlers.resize, handlers.Image("a", 8)) == handlers.Image("a", 4)


async def test_processes_are_kept(runner: ProcessRunner, announced: Announced) -> None:
    """Jobs one after the other run in one child, jobs at the same time in several, and never in the worker."""
    first = await runner.run(handlers.pid, None)
    assert await runner.run(handlers.pid, None) == first != os.getpid()
    both, _ = await asyncio.gather(
        asyncio.gather(*(runner.run(handlers.meet, announced.path) for _ in range(2))),
        asyncio.to_thread(announced.let_go, 2),
    )
    assert len(set(both)) == 2
    assert first in both


async def test_no_more_than_allowed(runner: ProcessRunner) -> None:
    """More jobs than processes wait for one."""
    pids = await asyncio.gather(*(runner.run(handlers.pid, None) for _ in range(10)))
    assert len(set(pids)) <= 2


async def test_an_exception_crosses_as_text(runner: ProcessRunner) -> None:
    """What a handler raises comes back with its type's name, its message and its traceback; the child is kept."""
    before = await runner.run(handlers.pid, None)
    with pytest.raises(HandlerRaised, match="no such user") as caught:
        await runner.run(handlers.refuse, "no such user")
    assert caught.value.type_name == "LookupError"
    assert "in refuse" in caught.value.trace
    assert "in refuse" in str(caught.value.__cause__)
    assert await runner.run(handlers.pid, None) == before


async def test_an_exception_that_cannot_be_shown(runner: ProcessRunner) -> None:
    """An exception whose text raises still comes back, by its name."""
    with pytest.raises(HandlerRaised, match="Odd"):
        await runner.run(handlers.refuse_oddly, None)


@pytest.mark.parametrize(
    ("kind", "type_"), [("snooze", Snooze), ("retry", RetryAt), ("fatal", Unrecoverable)]
)
async def test_signals_cross_as_they_are(
    runner: ProcessRunner, kind: str, type_: type[HandlerSignal]
) -> None:
    """Snooze, RetryAt and Unrecoverable mean the same in a process."""
    with pytest.raises(type_):
        await runner.run(handlers.signal_of, kind)


async def test_a_result_that_cannot_cross(runner: ProcessRunner) -> None:
    """A result that does not pickle fails the job and not the child."""
    with pytest.raises(HandlerRaised, match="result cannot be pickled"):
        await runner.run(handlers.unpicklable, None)
    assert await runner.run(handlers.resize, handlers.Image("a", 2)) == handlers.Image("a", 1)


@pytest.mark.parametrize(
    ("how", "signum", "code"),
    [
        ("segfault", signal.SIGSEGV, None),
        ("abort", signal.SIGABRT, None),
        ("kill", signal.SIGKILL, None),
        ("_exit", None, 7),
        ("exit", None, 3),
        ("exit-ok", None, 0),
    ],
)
async def test_a_death_is_named(
    runner: ProcessRunner, how: str, signum: int | None, code: int | None
) -> None:
    """A child that ends instead of returning fails its job with the signal or exit code; the next job has a new one."""
    with pytest.raises(ProcessDied) as caught:
        await runner.run(handlers.die, how)
    assert (caught.value.signal, caught.value.exit_code) == (signum, code)
    assert (signal.Signals(signum).name if signum else f"exit code {code}") in str(caught.value)
    assert await runner.run(handlers.pid, None) > 0


async def test_a_child_that_died_idle_costs_no_job(runner: ProcessRunner) -> None:
    """A child that is killed between two jobs is replaced, and nobody hears of it."""
    idle = await runner.run(handlers.pid, None)
    os.kill(idle, signal.SIGKILL)
    assert await runner.run(handlers.pid, None) != idle


async def test_a_timeout_kills(runner: ProcessRunner, announced: Announced) -> None:
    """A handler that takes too long, even one that holds the GIL, is dead when `run` raises TimeoutError."""
    run = asyncio.create_task(runner.run(handlers.hang, announced.path, timeout=0.2))
    child = await asyncio.to_thread(announced.next_pidfd)
    with pytest.raises(TimeoutError, match=r"within 0\.2 s"):
        await run
    assert ended(child)


@pytest.mark.parametrize("handler", [handlers.hang, handlers.ignore_everything, handlers.hang_with_child])
async def test_a_cancel_kills(
    runner: ProcessRunner, announced: Announced, handler: Callable[[str], None]
) -> None:
    """Cancelling the run kills the child within a second, together with what it has started."""
    run = asyncio.create_task(runner.run(handler, announced.path))
    child = await asyncio.to_thread(announced.next_pidfd)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(1):
            await run
    assert ended(child, within=1)


async def test_a_second_cancel_does_not_spare_it(runner: ProcessRunner, announced: Announced) -> None:
    """However often the run is cancelled, the child is dead before it ends."""
    run = asyncio.create_task(runner.run(handlers.hang, announced.path))
    child = await asyncio.to_thread(announced.next_pidfd)
    while not run.done():
        run.cancel()
        await asyncio.wait([run], timeout=0.05)
    assert ended(child)


async def test_a_handler_may_leave_cleanly(runner: ProcessRunner) -> None:
    """A handler that watches its cancel signal has a moment to leave before its process is killed."""
    context = FakeContext()
    run = asyncio.create_task(runner.run(handlers.wait_for_cancel, None, context=as_context(context)))
    assert await asyncio.wait_for(context.told.get(), 20) == "ready"
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_the_context_reaches_the_worker(runner: ProcessRunner) -> None:
    """Progress and log lines of a child come out in the worker, in their order."""
    context = FakeContext()
    assert await runner.run(handlers.use_context, None, context=as_context(context)) == ("7", 2)
    assert [context.told.get_nowait() for _ in range(3)] == [{"done": 50}, "half of it", 100]


async def test_a_superseded_run_is_killed(runner: ProcessRunner) -> None:
    """When progress is refused because a later run owns the job, the child does not go on."""
    context = FakeContext()
    context.stale = True
    with pytest.raises(StaleRun):
        await runner.run(handlers.use_context, None, context=as_context(context))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
async def test_children_have_no_sockets_of_the_worker(runner: ProcessRunner) -> None:
    """A child has one socket, to its worker: no connection to the server can be mixed up."""
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        assert await runner.run(handlers.open_sockets, None) == 0


async def test_close_kills_all(announced: Announced) -> None:
    """After `close` no child is left, not even one at work."""
    runner = ProcessRunner()
    run = asyncio.create_task(runner.run(handlers.hang, announced.path))
    busy = await asyncio.to_thread(announced.next_pidfd)
    idle = os.pidfd_open(await runner.run(handlers.pid, None))
    await runner.close()
    assert ended(busy)
    assert ended(idle)
    with pytest.raises(ProcessDied):
        await run


PARENT = """
import asyncio, sys
from corral.worker.isolation.processes import ProcessRunner
from tests.worker.isolation import process_handlers
asyncio.run(ProcessRunner().run(process_handlers.hang, sys.argv[1]))
"""


def test_children_die_with_a_killed_worker(announced: Announced) -> None:
    """kill -9 of the worker ends its children within a second, also one that holds the GIL."""
    worker = subprocess.Popen([sys.executable, "-c", PARENT, announced.path], cwd=Path(__file__).parents[3])
    child = announced.next_pidfd()
    worker.kill()
    worker.wait()
    assert ended(child, within=1)


SCRIPT = """
import asyncio
from corral.worker.isolation.processes import ProcessRunner

def double(number):
    return 2 * number

async def main():
    runner = ProcessRunner()
    print(await runner.run(double, 21))
    await runner.close()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_handlers_of_a_script(tmp_path: Path) -> None:
    """A handler defined in the script that is run is found there, as `multiprocessing` finds it."""
    script = tmp_path / "app.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"


CHATTY = """
import asyncio
from corral.logs import configure, enter_job
from corral.worker.isolation.processes import ProcessRunner

def talk(text):
    from corral.logs import get_logger
    get_logger("jobs:email").info(text)

async def main():
    configure()
    enter_job("email.welcome", "7", 1)
    runner = ProcessRunner()
    await runner.run(talk, "hello")
    await runner.close()

if __name__ == "__main__":
    asyncio.run(main())
"""


def test_children_log_as_their_worker(tmp_path: Path) -> None:
    """Lines of a child come out where the worker's do, in the same form, with the fields of its job."""
    script = tmp_path / "app.py"
    script.write_text(CHATTY)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True)
    assert '"event": "hello", "scope": "[worker][email.welcome:7]"' in done.stdout
