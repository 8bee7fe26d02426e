"""`corral dev`: a server and a worker that reloads, with nothing installed and nothing configured."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from corral.cli.loop import run
from corral.cli.options import Concurrency, Prefix, Target
from corral.cli.output import remark
from corral.cli.worker import WorkerArguments, skipped
from corral.embedded import EmbeddedServer
from corral.logs import configure, flush
from corral.worker.supervision.reloader import Reloader

__all__ = ["dev"]


def dev(
    target: Target,
    directory: Annotated[
        Path, typer.Argument(help="Where the server keeps its data.", show_default=True)
    ] = Path(".corral"),
    concurrency: Concurrency = None,
    prefix: Prefix = None,
) -> None:
    """Run a server of this directory's own and a worker that starts again when the code changes.

    The data is kept for the next time. Producers find the server by the URL that is printed.
    """
    if skipped():
        return
    with EmbeddedServer(directory) as server:
        _ignore(server.directory)
        url = f"embedded://{server.directory}"
        remark(f"server    data in {server.directory}")
        remark(f"producers export REDIS_URL={url}", "bold")
        remark(f"others    {server.url}")
        configure()
        try:
            code = run(_developing(WorkerArguments(target, url, prefix, concurrency), url))
        finally:
            flush()
    raise typer.Exit(code)


async def _developing(arguments: WorkerArguments, url: str) -> int:
    environ = {"REDIS_URL": url, "CORRAL_ENV": "development"}
    return await Reloader(arguments.command(), Path.cwd(), environ=environ).run()


def _ignore(directory: Path) -> None:
    """Keep the data out of git."""
    file = directory / ".gitignore"
    if not file.exists():
        file.write_text("*\n")
