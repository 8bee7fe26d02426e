"""`corral workers …`: who works, on what, and what an operator tells them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from rich.table import Table

from corral.admin.worker import WorkerAdmin
from corral.cli.failure import CorralGroup
from corral.cli.operate import operate
from corral.cli.options import Json, Prefix, Url
from corral.cli.output import console, print_json, remark, shown
from corral.contracts.worker_record import WorkerRecord

__all__ = ["workers"]

workers = typer.Typer(
    name="workers",
    cls=CorralGroup,
    no_args_is_help=True,
    help="The workers: who they are, what they run; drain and resume them, change how much they run at once.",
)
WorkerName = Annotated[str, typer.Argument(metavar="NAME", help="The worker's name.", show_default=False)]
OfQueue = Annotated[str | None, typer.Option("--queue", help="Only of this queue.", show_default=False)]


@workers.command("list")
def listed(queue: OfQueue = None, url: Url = None, prefix: Prefix = None, as_json: Json = False) -> None:
    """List workers, Corral's and Node's, with what they run and how they are."""
    found = operate(url, prefix, lambda admin: admin.workers(queue, on_skipped=_left_out))
    if as_json:
        print_json(found)
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("worker", "state", "queues", "in hand", "version", "loop lag", "last fetch", "trouble"):
        table.add_column(column, overflow="fold")
    for one in found:
        table.add_row(*_cells(one))
    console().print(table) if found else remark("no workers")


def _left_out(queue: str, reason: str) -> None:
    remark(f"{f'queue {shown(queue)!r} is left out: ' if queue else ''}{reason}", "yellow")


def _cells(worker: WorkerRecord) -> list[str]:
    slots = sum(worker.concurrency.values())
    lag = worker.loop_lag_ms
    return [
        shown(worker.name or worker.address),
        worker.state.value,
        shown(", ".join(worker.queues)),
        f"{worker.jobs_in_hand} of {slots}" if worker.ours else "",
        shown(worker.version or ""),
        "" if lag is None else f"{lag:,.0f} ms",
        f"{worker.last_fetch:%Y-%m-%d %H:%M:%S}" if worker.last_fetch else "",
        shown("; ".join(worker.troubles)),
    ]


@workers.command()
def drain(name: WorkerName, url: Url = None, prefix: Prefix = None) -> None:
    """Let a worker claim nothing more. It finishes what it has, and stays until it is told to resume or to stop."""
    _tell(name, url, prefix, lambda worker: worker.drain())
    remark(f"worker {shown(name)} drains")


@workers.command()
def resume(name: WorkerName, url: Url = None, prefix: Prefix = None) -> None:
    """Let a drained worker claim again."""
    _tell(name, url, prefix, lambda worker: worker.resume())
    remark(f"worker {shown(name)} claims jobs")


@workers.command()
def concurrency(
    name: WorkerName,
    most: Annotated[
        int, typer.Argument(min=1, max=100_000, metavar="N", help="Jobs at once.", show_default=False)
    ],
    queue: OfQueue = None,
    url: Url = None,
    prefix: Prefix = None,
) -> None:
    """Change how many jobs a worker runs at once, in each of its queues or in one, until it ends."""
    _tell(name, url, prefix, lambda worker: worker.set_concurrency(most, queue))
    remark(f"worker {shown(name)} runs {most} jobs at once")


def _tell(
    name: str, url: str | None, prefix: str | None, verb: Callable[[WorkerAdmin], Awaitable[None]]
) -> None:
    operate(url, prefix, lambda admin: verb(admin.worker(name)))
