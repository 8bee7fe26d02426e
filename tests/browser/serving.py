"""The dashboard of a world on a port of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from corral.dashboard.app import create_dashboard
from tests.browser.world import WORLD_TASKS, World

__all__ = ["served"]


@asynccontextmanager
async def served(world: World) -> AsyncIterator[str]:
    """Serve it as `corral serve` does for a developer, and give its URL."""
    app = create_dashboard(
        world.admin,
        client=world.client,
        tasks=WORLD_TASKS,
        database=world.database,
        may_be_local=True,
        environment={"CORRAL_ENV": "development"},
    )
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        while not (server.started or serving.done()):
            await asyncio.sleep(0)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
