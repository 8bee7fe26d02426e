"""`corral serve`: the admin API and the dashboard, for people and programs that look after queues."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from corral.admin.admin import Admin
from corral.admin.sampler import Sampler
from corral.cli.failure import SETUP
from corral.cli.loop import run
from corral.cli.options import DatabaseUrl, Prefix, Url
from corral.cli.output import remark
from corral.cli.target import load_sources
from corral.logs import configure, flush

if TYPE_CHECKING:  # a program without the extras can still be asked for help
    from fastapi import FastAPI
    from starlette.applications import Starlette

    from corral.http.desk import Desk
    from corral.store.database import Database

__all__ = ["serve"]

NEEDED: Final = ("fastapi", "sqlalchemy", "uvicorn")
FOR_PAGES: Final = ("jinja2", "python_multipart")

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODULE:TASKS]…",
        help="Task sets and queues, so that payloads are validated before they are stored.",
        show_default=False,
    ),
]


def serve(
    targets: Targets = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    url: Url = None,
    prefix: Prefix = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve the admin API, and the dashboard at /bullBoard, until SIGTERM or Ctrl-C.

    Who asks the API needs a token: see `corral token`. Where others than this machine can reach it, there has to be one
    before it starts. The dashboard wants the name and password of BULL_BOARD_USERNAME and BULL_BOARD_PASSWORD; without
    them it is open to a developer (CORRAL_ENV=development) on this machine, and to nobody else. Exit code 2 when it
    cannot start.
    """
    if missing := _missing(NEEDED):
        _refuse(f"the API needs {', '.join(missing)}: pip install 'corral[http]'")
    configure()
    sources = [source for target in targets or () for source in load_sources(target)]
    try:
        run(_serve(Admin(url, prefix=prefix), database_url, sources, host, port))
    finally:
        flush()


async def _serve(admin: Admin, database_url: str | None, sources: list[Any], host: str, port: int) -> None:
    from corral.http.app import create_api
    from corral.http.serving import is_loopback
    from corral.http.serving import serve as serve_app
    from corral.store.database import Database
    from corral.store.tokens import Tokens

    async with admin, Database(database_url) as database:
        await database.migrate()
        now = datetime.now(UTC)
        if not any(token.is_valid(now) for token in await Tokens(database).list(limit=1000)):
            remedy = f"corral token create --role admin (the database is {database.address})"
            if not is_loopback(host):
                _refuse(f"others can reach {host}, and there is no token yet: make one first, with {remedy}")
            remark(
                f"there is no token yet, so that nobody can ask anything: make one with {remedy}", "yellow"
            )
        listening = _listening(host, port)
        api = create_api(admin, database=database, tasks=sources)
        app, desks = _with_pages(api, admin, database, sources)

        def end_streams() -> None:
            for desk in desks:
                desk.feed.close()

        address, number = listening.getsockname()[:2]
        here = f"http://{f'[{address}]' if ':' in address else address}:{number}"
        remark(f"API       {here}/api/openapi.json")
        if app is not api:
            remark(f"dashboard {here}/bullBoard")
        sampling = asyncio.create_task(Sampler(admin.server).serve())
        try:
            await serve_app(app, listening, on_stop=end_streams)
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)


def _with_pages(
    api: FastAPI, admin: Admin, database: Database, sources: list[Any]
) -> tuple[Starlette, list[Desk]]:
    """API and dashboard as one application, and their desks; the API alone where the extra is not installed."""
    if _missing(FOR_PAGES):
        remark("no dashboard: pip install 'corral[dashboard]'", "yellow")
        return api, [api.state.desk]
    from corral.dashboard.app import create_dashboard
    from corral.dashboard.beside import beside

    pages = create_dashboard(admin, database=database, tasks=sources, may_be_local=True)
    return beside(api, pages), [api.state.desk, pages.state.desk]


def _missing(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if importlib.util.find_spec(name) is None]


def _listening(host: str, port: int) -> socket.socket:
    from corral.http.serving import listening_socket

    try:
        return listening_socket(host, port)
    except OSError as error:
        _refuse(f"it cannot listen on {host}, port {port}: {error.strerror or error}")


def _refuse(reason: str) -> NoReturn:
    remark(f"error: {reason}", "bold red")
    raise typer.Exit(SETUP)
