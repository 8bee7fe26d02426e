"""`InThread` handlers run on threads, which cannot be killed."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from corral.worker.isolation.threads import ThreadRunner


@pytest.fixture
def runner() -> Iterator[ThreadRunner]:
    """A runner of at most two threads."""
    made = ThreadRunner(2)
    yield made
    made.close()


async def test_results_and_arguments_cross(runner: ThreadRunner) -> None:
    """The function gets its arguments on another thread, and what it returns comes back."""
    here = threading.get_ident()
    assert await runner.run(lambda a, b: (a + b, threading.get_ident() != here), 1, 2) == (3, True)


async def test_threads_are_kept(runner: ThreadRunner) -> None:
    """Calls one after the other share a thread."""
    idents = {await runner.run(threading.get_ident) for _ in range(5)}
    assert len(idents) == 1


async def test_no_more_than_allowed(runner: ThreadRunner) -> None:
    """More calls than threads wait for one."""
    both = threading.Barrier(2)
    idents = await asyncio.gather(
        *(runner.run(lambda: (both.wait(10), threading.get_ident())) for _ in range(6))
    )
    assert len({ident for _, ident in idents}) == 2


async def test_context_variables_are_seen(runner: ThreadRunner) -> None:
    """The function sees the context variables of the task that runs it, the running job's among them."""
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("set")
    assert await runner.run(variable.get) == "set"


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3), MemoryError()])
async def test_whatever_is_raised_comes_back(runner: ThreadRunner, error: BaseException) -> None:
    """Any exception is raised where the call is awaited, and the thread lives on."""

    def fail() -> None:
        raise error

    caught: BaseException | None = None
    try:
        await runner.run(fail)
    except BaseException as raised:
        caught = raised
    assert caught is error
    assert await runner.run(lambda: 1) == 1


@pytest.mark.parametrize("error", [StopIteration(), asyncio.CancelledError()])
async def test_what_a_task_cannot_be_given(runner: ThreadRunner, error: BaseException) -> None:
    """An exception that would mean something else in a coroutine comes back as RuntimeError."""

    def fail() -> None:
        raise error

    with pytest.raises(RuntimeError, match=type(error).__name__) as caught:
        await runner.run(fail)
    assert caught.value.__cause__ is error


async def test_a_stuck_thread_is_counted_and_replaced(runner: ThreadRunner) -> None:
    """After a timeout the thread goes on and is counted, its place is free, and the count falls when it ends."""
    release, started = threading.Event(), threading.Event()

    def hang() -> None:
        started.set()
        release.wait(30)

    runs = [asyncio.create_task(runner.run(hang)) for _ in range(2)]
    await asyncio.to_thread(started.wait, 10)
    await runner_is_busy(runs)
    for run in runs:
        run.cancel()
    assert all(
        isinstance(end, asyncio.CancelledError) for end in await asyncio.gather(*runs, return_exceptions=True)
    )
    assert runner.stuck == 2
    assert await asyncio.gather(*(runner.run(lambda: 1) for _ in range(2))) == [1, 1]
    release.set()
    while runner.stuck:  # a callback of the ending threads
        await asyncio.sleep(0)


async def runner_is_busy(runs: list[asyncio.Task[None]]) -> None:
    """Let the tasks begin."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert not any(run.done() for run in runs)


STUCK = """
import asyncio, threading
from corral.worker.isolation.threads import ThreadRunner

async def main():
    started = threading.Event()
    def hang():
        started.set()
        threading.Event().wait()
    run = asyncio.create_task(ThreadRunner().run(hang))
    await asyncio.to_thread(started.wait)
    run.cancel()
    print("leaving", flush=True)

asyncio.run(main())
"""


def test_a_stuck_thread_does_not_hold_up_the_end() -> None:
    """The program ends although a handler never returns."""
    done = subprocess.run(
        [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=20, check=True
    )
    assert done.stdout == "leaving\n"
