"""A supervisor keeps its processes running, and takes them along when it goes."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from corral.errors import InvalidOption
from corral.worker.supervision import supervisor as supervisor_module
from corral.worker.supervision.supervisor import Supervisor, restart_pause
from tests.worker.supervision.nursery import Nursery

PROGRAM = Path(__file__).with_name("supervisor_program.py")


@asynccontextmanager
async def running(supervisor: Supervisor) -> AsyncIterator[asyncio.Task[int]]:
    """Run a supervisor in the background; it must be over when the block is left, or is cancelled."""
    task = asyncio.create_task(supervisor.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_runs_so_many_processes(nursery: Nursery) -> None:
    """`processes=3` is three processes, each in a group of its own, which the terminal's Ctrl-C does not reach."""
    supervisor = Supervisor(nursery.command, 3)
    async with running(supervisor) as task:
        children = await nursery.children(3)
        assert len({child.pid for child in children}) == 3
        assert all(os.getpgid(child.pid) == child.pid for child in children)
        supervisor.stop()
        assert await task == 0


async def test_one_that_ends_without_error_is_replaced_at_once(nursery: Nursery) -> None:
    """A recycled process (exit code 0) is followed by another, without a pause."""
    supervisor = Supervisor(nursery.command, 1, first_pause=3600)
    async with running(supervisor) as task:
        first = await nursery.child()
        first.tell("exit 0")
        second = await nursery.child()
        assert second.pid != first.pid
        supervisor.stop()
        assert await task == 0


@pytest.mark.parametrize("end", ["exit 1", "exit 7", "crash"])
async def test_one_that_crashes_is_replaced(nursery: Nursery, end: str) -> None:
    """A process that fails or is killed is followed by another, again and again; the others are left alone."""
    supervisor = Supervisor(nursery.command, 2, first_pause=0.01)
    async with running(supervisor) as task:
        victim, other = await nursery.children(2)
        for _ in range(2):
            victim.tell(end)
            victim = await nursery.child()
        supervisor.stop()
        assert await other.says() == "signal 1"
        assert await task == 0


def test_pauses_grow_to_a_limit() -> None:
    """The pause before a restart doubles with each crash in a row, up to half a minute."""
    assert [restart_pause(crashes) for crashes in (1, 2, 3, 4)] == [0.5, 1, 2, 4]
    assert restart_pause(7) == restart_pause(1000) == 30


async def test_stopping_ends_a_pause(nursery: Nursery) -> None:
    """A supervisor that is told to stop does not wait until it would have restarted a process."""
    supervisor = Supervisor(nursery.command, 1, first_pause=3600)
    async with running(supervisor) as task:
        child = await nursery.child()
        child.tell("exit 1")
        await child.gone()
        supervisor.stop()
        async with asyncio.timeout(10):
            await task


async def test_what_cannot_start_is_not_tried_again(
    nursery: Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2 from the start on means that a person has to act: all stop, and so does the supervisor, with 2."""
    monkeypatch.setattr(supervisor_module, "PROVEN_AFTER", 3600)  # a busy machine takes long to start it
    supervisor = Supervisor(nursery.command, 2, first_pause=0.01)
    async with running(supervisor) as task:
        one, other = await nursery.children(2)
        one.tell("exit 2")
        assert await other.says() == "signal 1"
        assert await task == 2
        assert nursery.nobody_waits


async def test_what_could_start_before_is_tried_again(nursery: Nursery) -> None:
    """A replacement that cannot start does not take the healthy ones with it: a deploy may be half done."""
    supervisor = Supervisor(nursery.command, 1, first_pause=0.01)
    async with running(supervisor) as task:
        (await nursery.child()).tell("exit 0")
        (await nursery.child()).tell("exit 2")
        await nursery.child()
        supervisor.stop()
        assert await task == 0


def test_processes_are_counted_from_one() -> None:
    """`processes=0` is refused."""
    with pytest.raises(InvalidOption, match="processes"):
        Supervisor(["true"], 0)


class Program:
    """A supervisor in a process of its own."""

    def __init__(self, nursery: Nursery, processes: int) -> None:
        self.process = subprocess.Popen([sys.executable, str(PROGRAM), str(processes), *nursery.command])

    async def ended(self) -> int:
        """Its exit code."""
        return await asyncio.to_thread(self.process.wait, 15)


@pytest.fixture
def program(nursery: Nursery) -> Iterator[Program]:
    """A supervisor of two."""
    made = Program(nursery, 2)
    yield made
    if made.process.poll() is None:
        made.process.kill()
        made.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_first_signal_is_gentle(nursery: Nursery, program: Program, number: signal.Signals) -> None:
    """SIGTERM or SIGINT to the supervisor is one SIGTERM to each process; when these end well, it exits with 0."""
    children = await nursery.children(2)
    program.process.send_signal(number)
    assert [await child.says() for child in children] == ["signal 1", "signal 1"]
    assert await program.ended() == 0


async def test_the_second_signal_is_passed_on_and_the_third_kills(nursery: Nursery, program: Program) -> None:
    """Processes get the second signal too; those that ignore it are killed by the third, which is exit code 1."""
    children = await nursery.children(2)
    for child in children:
        child.tell("stubborn")
        assert await child.says() == "stubborn"
    for said in ("signal 1", "signal 2"):
        program.process.send_signal(signal.SIGTERM)
        assert [await child.says() for child in children] == [said, said]
    program.process.send_signal(signal.SIGTERM)
    for child in children:
        await child.gone()
    assert await program.ended() == 1


async def test_processes_die_with_their_supervisor(nursery: Nursery, program: Program) -> None:
    """`kill -9` of the supervisor alone ends its processes too: none is left behind without a parent."""
    children = await nursery.children(2)
    program.process.kill()
    for child in children:
        await child.gone()
