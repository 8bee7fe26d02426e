"""`corral worker`: run the jobs of an application."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer

from corral.cli.loop import run
from corral.cli.measuring import measuring, measuring_fleet
from corral.cli.options import Concurrency, Prefix, Target, Url, memory_size
from corral.cli.target import load_worker
from corral.logs import configure, flush
from corral.worker.endpoint.fleet import HEALTH_SOCKET, fleet_health, socket_of
from corral.worker.endpoint.health_endpoint import HealthEndpoint, listen, listen_locally
from corral.worker.health import Health
from corral.worker.supervision.lifeline import hold_lifeline
from corral.worker.supervision.reloader import Reloader
from corral.worker.supervision.supervisor import Supervisor
from corral.worker.worker import Worker

__all__ = ["WorkerArguments", "skipped", "worker"]

LOOPBACK: Final = "127.0.0.1"


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
    health_port: int | None = None
    health_host: str | None = None
    samples: bool | None = None

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
            "--health-port": self.health_port,
            "--health-host": self.health_host,
        }
        flat = [part for name, value in options.items() if value is not None for part in (name, str(value))]
        flat += ["--no-samples"] if self.samples is False else []
        return [sys.executable, "-m", "corral.cli", "worker", self.target, *flat]

    def single(self) -> WorkerArguments:
        """The same for one of its processes."""
        return replace(self, processes=None, health_port=None, health_host=None)

    def load(self) -> Worker:
        """The worker, with these settings over its own."""
        return load_worker(self.target).configure(
            url=self.url,
            prefix=self.prefix,
            concurrency=self.concurrency,
            grace=self.grace,
            max_jobs=self.max_jobs,
            max_memory=self.max_memory,
            samples=self.samples,
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
HealthPort = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=65535,
        help="Answer at /healthz and /readyz whether it does its work, and /metrics.",
        show_default=False,
    ),
]
HealthHost = Annotated[
    str | None, typer.Option(help="Where to listen for that. Default: 127.0.0.1.", show_default=False)
]

NoSamples = Annotated[
    bool,
    typer.Option("--no-samples", help="Take no samples for charts, and group no failures: others do."),
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
    health_port: HealthPort = None,
    health_host: HealthHost = None,
    no_samples: NoSamples = False,
) -> None:
    """Run the jobs of an application until SIGTERM or Ctrl-C (twice: at once).

    Exit code 0 after a clean stop, 1 after a crash, 2 when it cannot start.
    """
    if skipped():
        return
    supervised = hold_lifeline()
    configure()
    arguments = WorkerArguments(
        target, url, prefix, concurrency, grace, max_jobs, max_memory, processes, health_port, health_host,
        samples=False if no_samples else None,
    )  # fmt: skip
    try:
        if reload:
            code = run(reloading(arguments, Path.cwd()))
        elif processes is not None or ((max_jobs or max_memory) and not supervised):
            code = run(supervising(arguments))
        else:
            loaded = arguments.load()
            with answering(loaded, arguments):
                code = run(working(loaded), fast=True)
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


def answering(loaded: Worker, arguments: WorkerArguments) -> AbstractContextManager[object]:
    """While inside, whoever asks hears how the worker is: at the port that was given, or its supervisor."""

    async def health() -> Health:
        return loaded.health()

    if socket := os.environ.pop(HEALTH_SOCKET, None):
        return HealthEndpoint(listen_locally(Path(socket)), health, measuring(loaded))
    if arguments.health_port is None:
        return nullcontext()
    listening = listen(arguments.health_host or LOOPBACK, arguments.health_port)
    return HealthEndpoint(listening, health, measuring(loaded))


async def supervising(arguments: WorkerArguments) -> int:
    """Run it in processes of their own."""
    command, processes = arguments.single().command(), arguments.processes or 1
    if arguments.health_port is None:
        return await Supervisor(command, processes).run()
    listening = listen(arguments.health_host or LOOPBACK, arguments.health_port)
    with TemporaryDirectory(prefix="corral-") as name:
        folder = Path(name)

        def environ(number: int) -> dict[str, str]:
            return {HEALTH_SOCKET: str(socket_of(folder, number))}

        metrics = measuring_fleet(folder, processes)
        with HealthEndpoint(listening, lambda: fleet_health(folder, processes), metrics):
            return await Supervisor(command, processes, environ=environ).run()


async def reloading(arguments: WorkerArguments, folder: Path) -> int:
    """Run it in a process of its own, again after each change in the folder."""
    return await Reloader(arguments.command(), folder).run()
