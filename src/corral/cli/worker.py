"""`corral worker`: run the jobs of an application."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from corral.cli.loop import run
from corral.cli.options import Concurrency, Prefix, Target, Url, memory_size
from corral.cli.target import load_worker
from corral.logs import configure, flush
from corral.worker.supervision.lifeline import hold_lifeline
from corral.worker.supervision.reloader import Reloader
from corral.worker.supervision.supervisor import Supervisor
from corral.worker.worker import Worker

__all__ = ["WorkerArguments", "skipped", "worker"]


@dataclass(frozen=True)
class WorkerArguments:
    """What a worker process is started with."""

    target: str
    url: str | None = None
    prefix: str | None = None
    concurrency: int | None = None
    grace: float | None = None
    max_jobs: int | None = None
    max_memory: int | None = None
    processes: int | None = None

    def command(self) -> list[str]:
        """The command line of a process that runs it."""
        options = {
            "--url": self.url,
            "--prefix": self.prefix,
            "--concurrency": self.concurrency,
            "--grace": self.grace,
            "--max-jobs": self.max_jobs,
            "--max-memory": self.max_memory,
            "--processes": self.processes,
        }
        flat = [part for name, value in options.items() if value is not None for part in (name, str(value))]
        return [sys.executable, "-m", "corral.cli", "worker", self.target, *flat]

    def single(self) -> WorkerArguments:
        """The same for one of its processes."""
        return WorkerArguments(**{**vars(self), "processes": None})

    def load(self) -> Worker:
        """The worker, with these settings over its own."""
        return load_worker(self.target).configure(
            url=self.url,
            prefix=self.prefix,
            concurrency=self.concurrency,
            grace=self.grace,
            max_jobs=self.max_jobs,
            max_memory=self.max_memory,
        )


Processes = Annotated[
    int | None,
    typer.Option(
        min=1, help="How many processes; crashed and recycled ones are replaced.", show_default=False
    ),
]
Grace = Annotated[
    float | None,
    typer.Option(min=0, help="Seconds for jobs in flight when it is told to stop.", show_default=False),
]
MaxJobs = Annotated[
    int | None, typer.Option(min=1, help="Replace a process after so many jobs.", show_default=False)
]
MaxMemory = Annotated[
    int | None,
    typer.Option(
        parser=memory_size, metavar="SIZE", help="Replace a process above so much: 300M.", show_default=False
    ),
]


def worker(
    target: Target,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when a Python file changes.")] = False,
    processes: Processes = None,
    concurrency: Concurrency = None,
    url: Url = None,
    prefix: Prefix = None,
    grace: Grace = None,
    max_jobs: MaxJobs = None,
    max_memory: MaxMemory = None,
) -> None:
    """Run the jobs of an application until SIGTERM or Ctrl-C (twice: at once).

    Exit code 0 after a clean stop, 1 after a crash, 2 when it cannot start.
    """
    if skipped():
        return
    supervised = hold_lifeline()
    configure()
    arguments = WorkerArguments(target, url, prefix, concurrency, grace, max_jobs, max_memory, processes)
    try:
        if reload:
            code = run(reloading(arguments, Path.cwd()))
        elif processes is not None or ((max_jobs or max_memory) and not supervised):
            code = run(supervising(arguments))
        else:
            code = run(working(arguments.load()), fast=True)
    finally:
        flush()
    raise typer.Exit(code)


def skipped() -> bool:
    """Under CORRAL_ENV=test no worker runs: the test suite of an application starts the processes it wants itself."""
    if os.environ.get("CORRAL_ENV") != "test":
        return False
    typer.echo("CORRAL_ENV=test: the worker is skipped")
    return True


async def working(loaded: Worker) -> int:
    """Run a worker in this process."""
    await loaded.run()
    return 0


async def supervising(arguments: WorkerArguments) -> int:
    """Run it in processes of their own."""
    return await Supervisor(arguments.single().command(), arguments.processes or 1).run()


async def reloading(arguments: WorkerArguments, folder: Path) -> int:
    """Run it in a process of its own, again after each change in the folder."""
    return await Reloader(arguments.command(), folder).run()
