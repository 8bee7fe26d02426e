"""`corral serve`: the admin API, for people and programs that look after queues."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NoReturn

import typer

from corral.admin.admin import Admin
from corral.admin.sampler import Sampler
from corral.cli.failure import SETUP
from corral.cli.loop import run
from corral.cli.options import DatabaseUrl, Prefix, Url
from corral.cli.output import remark
from corral.cli.target import load_sources
from corral.logs import configure, flush

__all__ = ["serve"]

NEEDED: Final = ("fastapi", "sqlalchemy", "uvicorn")

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
    """Serve the admin API until SIGTERM or Ctrl-C.

    Who asks needs a token: see `corral token`. Where others than this machine can reach it, there has to be one before
    it starts. Exit code 2 when it cannot start.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
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
    from corral.http.serving import serve as serve_api
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
        address, number = listening.getsockname()[:2]
        remark(f"API       http://{f'[{address}]' if ':' in address else address}:{number}/api/openapi.json")
        sampling = asyncio.create_task(Sampler(admin.server).serve())
        try:
            await serve_api(api, listening, on_stop=api.state.desk.feed.close)
        finally:
            sampling.cancel()
            await asyncio.gather(sampling, return_exceptions=True)


def _listening(host: str, port: int) -> socket.socket:
    from corral.http.serving import listening_socket

    try:
        return listening_socket(host, port)
    except OSError as error:
        _refuse(f"it cannot listen on {host}, port {port}: {error.strerror or error}")


def _refuse(reason: str) -> NoReturn:
    remark(f"error: {reason}", "bold red")
    raise typer.Exit(SETUP)
