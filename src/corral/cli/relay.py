"""`corral relay`: moves what an outbox holds to the server."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from corral.cli.database import with_database
from corral.cli.options import DatabaseUrl, Prefix, Url
from corral.cli.output import remark
from corral.client.client import Client
from corral.logs import configure, flush
from corral.worker.endpoint.health_endpoint import HealthEndpoint, listen
from corral.worker.health import Health
from corral.worker.shutdown import stop_signals

if TYPE_CHECKING:  # a program without the extra can still be asked for help
    from corral.store.database import Database
    from corral.store.relay import Relay

__all__ = ["relay"]


def relay(
    once: Annotated[bool, typer.Option("--once", help="Move what is there, and end.")] = False,
    health_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            help="Answer at /healthz and /readyz whether it does its work, and /metrics.",
            show_default=False,
        ),
    ] = None,
    health_host: Annotated[str, typer.Option(help="Where to listen for that.")] = "127.0.0.1",
    url: Url = None,
    prefix: Prefix = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Move the jobs of the database's outbox to the server, until SIGTERM or Ctrl-C (twice: at once).

    Several may run: one works, and when it dies another goes on. A worker can do it too, in its lifespan.
    Exit code 2 when it cannot start.
    """
    if once and health_port is not None:
        raise typer.BadParameter(
            "it is for a relay that goes on: leave out --once", param_hint="--health-port"
        )
    configure()

    async def moving(database: Database) -> None:
        from corral.store.relay import Relay

        async with Client(url, prefix=prefix) as client:
            await client.server.resolve()  # a URL that cannot be read is said now
            mover = Relay(database, client)
            if once:
                remark(f"{await mover.drain()} jobs moved")
                return
            remark(f"outbox of {database.address}, to {client.server.settings.address}")
            with _answering(mover, database, health_host, health_port):
                await _until_told(mover)

    try:
        with_database(database_url, moving)
    finally:
        flush()


async def _until_told(mover: Relay) -> None:
    running = asyncio.create_task(mover.run())

    def at_once() -> None:
        running.cancel()

    with stop_signals(mover.stop, at_once, announce=False):
        await asyncio.wait({running})
    if not running.cancelled():
        running.result()


def _answering(
    mover: Relay, database: Database, host: str, port: int | None
) -> AbstractContextManager[object]:
    """While inside, whoever asks hears how it is."""
    from corral.store.outbox_metrics import outbox_metrics

    loop = asyncio.get_running_loop()

    async def health() -> Health:
        reasons = tuple(mover.troubles)
        return Health(
            live=True, ready=not reasons, status="unhealthy" if reasons else "healthy", reasons=reasons
        )

    async def metrics() -> bytes:
        # The endpoint has a loop of its own, and the database belongs to this one.
        asked = asyncio.run_coroutine_threadsafe(outbox_metrics(database), loop)
        return await asyncio.wrap_future(asked)

    if port is None:
        return nullcontext()
    return HealthEndpoint(listen(host, port), health, metrics)
