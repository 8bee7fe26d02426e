"""A real worker, for tests that hurt it. Its handlers tell the witness when they start and end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from corral import BlockingContext, Context, InProcess, InThread, Queue, Task, TaskSet, Worker, task
from corral.logs import configure
from tests.faults.witness import Witness

GIL_HOLDER = re.compile(r"(a+)+$")


def tasks(name: str, witness: Witness) -> Queue:
    """The tasks, each with a way of its own to be trouble."""
    queue = Queue(name, attempts=3, backoff=0.05)
    add_slow_tasks(queue, witness)
    add_bad_tasks(queue, witness)
    return queue


def add_slow_tasks(queue: Queue, witness: Witness) -> None:
    """Tasks that take their time."""

    @queue.task
    async def nap(seconds: float, ctx: Context) -> str:
        """Takes long, and is well behaved."""
        witness.say("start", ctx.job_id)
        await asyncio.sleep(seconds)  # a slow handler
        witness.say("end", ctx.job_id)
        return ctx.job_id

    @queue.task(singleton=True, attempts=100)
    async def alone(seconds: float, ctx: Context) -> None:
        """Runs by itself."""
        witness.say("start", ctx.job_id)
        await asyncio.sleep(seconds)  # a slow handler
        witness.say("end", ctx.job_id)

    @queue.task
    async def block(seconds: float, ctx: Context) -> None:
        """Blocks the event loop."""
        witness.say("start", ctx.job_id)
        time.sleep(seconds)  # a slow handler
        witness.say("end", ctx.job_id)

    @queue.task(run=InThread)
    def hold_gil(seconds: float, ctx: BlockingContext) -> None:
        """Holds the GIL for so long in one go, though in a thread: the whole process stands still."""
        witness.say("start", ctx.job_id)
        length, took = 18, 0.0
        while took < seconds:
            began = time.monotonic()
            GIL_HOLDER.match("a" * length + "b")
            took, length = time.monotonic() - began, length + 1
        witness.say("end", ctx.job_id)


def add_bad_tasks(queue: Queue, witness: Witness) -> None:
    """Tasks that do what no handler should."""

    @queue.task
    async def kill_worker(_: None, ctx: Context) -> None:
        """A poison pill: takes the worker along."""
        witness.say("start", ctx.job_id)
        os.kill(os.getpid(), signal.SIGKILL)

    @queue.task(attempts=2)
    async def reports(seconds: float, ctx: Context) -> None:
        """Says whether what it reports after a while is still taken."""
        witness.say("start", ctx.job_id)
        await asyncio.sleep(0.01)  # a slow handler
        time.sleep(seconds)  # a slow handler, that is here when the process is stopped
        try:
            await ctx.progress({"late": True})
            witness.say("progress-taken", ctx.job_id)
        except BaseException as error:
            witness.say(f"progress-{type(error).__name__}", ctx.job_id)

    @queue.task
    async def stubborn(seconds: float, ctx: Context) -> None:
        """Ignores that it is cancelled."""
        witness.say("start", ctx.job_id)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                await asyncio.sleep(left)  # a slow handler
            except asyncio.CancelledError:
                witness.say("cancelled", ctx.job_id)
        witness.say("end", ctx.job_id)


def process_tasks(name: str) -> TaskSet:
    """Tasks whose handlers have a process of their own."""

    class ProcessTasks(TaskSet, queue=name, backoff=0.05):
        exits: Task[int, None] = task("exits", attempts=2)
        lingers: Task[str, None] = task("lingers", attempts=1)

    return ProcessTasks(exits=InProcess(exit_process), lingers=InProcess(linger_in_process))


def exit_process(code: int) -> None:
    """Ends the handler's own process."""
    os._exit(code)


def linger_in_process(path: str) -> None:
    """Says its process id, and stays."""
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)  # a slow handler


async def main(settings: dict[str, Any]) -> None:
    """Serve until a signal."""
    witness = Witness(Path(settings.pop("witness")))
    if settings.pop("stuck_log", False):
        configure()

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        witness.say("up")
        yield
        witness.say("down")

    name = settings.pop("queue")
    await Worker(tasks(name, witness), process_tasks(name), lifespan=lifespan, **settings).run()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
