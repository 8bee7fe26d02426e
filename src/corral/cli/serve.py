"""`corral serve`: the admin API and the dashboard, for people and programs that look after queues."""

from __future__ import annotations

import importlib.util
import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple, NoReturn

import typer

from corral.admin.admin import Admin
from corral.admin.sampler import Sampler
from corral.cli.failure import SETUP
from corral.cli.loop import run
from corral.cli.options import DatabaseUrl, Prefix, Url, web_path
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
OF_THE_API: Final = frozenset({"", "api", "healthz", "metrics"})

Targets = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[MODULE:TASKS]…",
        help="Task sets and queues, so that payloads are validated before they are stored.",
        show_default=False,
    ),
]
DashboardPath = Annotated[str, typer.Option(parser=web_path, metavar="PATH", help="Where the dashboard is.")]
RootPath = Annotated[
    str,
    typer.Option(
        parser=web_path,
        metavar="PATH",
        help="What a proxy takes off the path before it sends a request here, so that links lead back.",
        show_default=False,
    ),
]
KeepLog = Annotated[
    int,
    typer.Option(min=0, max=36_500, metavar="DAYS", help="How long the operator log is kept; 0: for ever."),
]


class _Settings(NamedTuple):
    """How to serve."""

    host: str
    port: int
    root_path: str
    pages_at: str | None
    keep_log: timedelta | None


def serve(
    targets: Targets = None,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8000,
    dashboard: Annotated[bool, typer.Option(help="With the dashboard, or the API alone.")] = True,
    dashboard_path: DashboardPath = "/bullBoard",
    root_path: RootPath = "",
    keep_log: KeepLog = 365,
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
    if dashboard_path[1:].partition("/")[0] in OF_THE_API:
        _refuse(
            f"the dashboard cannot be at {dashboard_path or '/'}: the API is there; give --dashboard-path"
        )
    configure()
    sources = [source for target in targets or () for source in load_sources(target)]
    kept = timedelta(days=keep_log) if keep_log else None
    settings = _Settings(host, port, root_path, dashboard_path if dashboard else None, kept)
    try:
        run(_serve(Admin(url, prefix=prefix), database_url, sources, settings))
    finally:
        flush()


async def _serve(admin: Admin, database_url: str | None, sources: list[Any], settings: _Settings) -> None:
    from corral.http.app import create_api
    from corral.http.chores import Chores
    from corral.http.serving import serve as serve_app
    from corral.store.database import Database
    from corral.store.operator_log import OperatorLog

    async with admin, Database(database_url) as database:
        await database.migrate()
        await _look_for_tokens(database, settings.host)
        listening = _listening(settings.host, settings.port)
        log = OperatorLog(database, keep=settings.keep_log)
        chores = Chores({"sampling": Sampler(admin.server).serve, "operator log": log.trim_daily})
        api = create_api(admin, database=database, tasks=sources, keep_log=settings.keep_log, chores=chores)
        app, desks = _with_pages(api, admin, database, sources, settings)

        def end_streams() -> None:
            for desk in desks:
                desk.feed.close()

        address, number = listening.getsockname()[:2]
        here = f"http://{f'[{address}]' if ':' in address else address}:{number}"
        remark(f"API       {here}/api/openapi.json")
        if app is not api:
            remark(f"dashboard {here}{settings.pages_at}")
        async with chores.going_on():
            await serve_app(app, listening, on_stop=end_streams, root_path=settings.root_path)


async def _look_for_tokens(database: Database, host: str) -> None:
    """Say so where nobody could ask anything, and serve others only if somebody can."""
    from corral.http.serving import is_loopback
    from corral.store.tokens import Tokens

    if await Tokens(database).any_valid():
        return
    remedy = f"corral token create --role admin (the database is {database.address})"
    if not is_loopback(host):
        _refuse(f"others can reach {host}, and there is no token yet: make one first, with {remedy}")
    remark(f"there is no token yet, so that nobody can ask anything: make one with {remedy}", "yellow")


def _with_pages(
    api: FastAPI, admin: Admin, database: Database, sources: list[Any], settings: _Settings
) -> tuple[Starlette, list[Desk]]:
    """API and dashboard as one application, and their desks; the API alone where no pages are wanted, or the extra is
    not installed."""
    if settings.pages_at is None:
        return api, [api.state.desk]
    if _missing(FOR_PAGES):
        remark("no dashboard: pip install 'corral[dashboard]'", "yellow")
        return api, [api.state.desk]
    from corral.dashboard.access import REMEDY, credentials_in
    from corral.dashboard.app import create_dashboard
    from corral.dashboard.beside import beside

    if credentials_in(os.environ) is None and os.environ.get("CORRAL_ENV") != "development":
        remark(f"nobody can open the dashboard: {REMEDY}", "yellow")
    pages = create_dashboard(
        admin, database=database, tasks=sources, keep_log=settings.keep_log, may_be_local=True
    )
    return beside(api, pages, path=settings.pages_at), [api.state.desk, pages.state.desk]


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
