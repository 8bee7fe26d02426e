"""`corral demo`: show it at work on real input."""

from __future__ import annotations

import importlib.util
from typing import Annotated, Final

import typer

from corral.cli.failure import SETUP
from corral.cli.loop import run
from corral.cli.output import remark

__all__ = ["demo"]

NEEDED: Final = ("aiosmtpd", "fastapi", "httpx", "PIL", "uvicorn")


def demo(
    once: Annotated[bool, typer.Option("--once", help="End with the table of what arrived where.")] = False,
) -> None:
    """Show Corral at work: a server, an API, a worker, a mail server and an HTTP service, all on this machine.

    With --once, exit code 0 only if everything arrived where it should.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        remark(f"error: the demo needs {', '.join(missing)}: pip install 'corral[demo]'", "bold red")
        raise typer.Exit(SETUP)
    from corral.demo.program import run_demo

    raise typer.Exit(run(run_demo(once=once)))
