"""The shop at work, as tests meet it: over real HTTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import httpx
import uvicorn

from corral import Client, Job
from corral.store.relay import Relay
from corral.store.roles import Role
from corral.store.tokens import Tokens
from shop.api.app import create_app
from shop.database import ShopDatabase
from shop.settings import Settings

__all__ = ["PASSWORD", "Shop", "open_shop"]

PASSWORD = "correct horse battery staple"


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """The API on a free port, in a thread of its own; its URL, with which links in mails begin too."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(settings.model_copy(update={"public_url": url}))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, args=([listening],), name="shop-api")
        thread.start()
        yield url
        server.should_exit = True
        thread.join()


@dataclass
class Shop:
    """The shop at work."""

    http: httpx.AsyncClient
    client: Client
    relay: Relay
    database: ShopDatabase
    zone: ZoneInfo

    async def ended(self, accepted: httpx.Response, at: int = 0) -> Job:
        """A job that an answer names, once it has ended."""
        assert accepted.status_code == httpx.codes.ACCEPTED, accepted.text
        ref = accepted.json()["jobs"][at]
        await self.relay.drain()
        return await self.client.queue(ref["queue"]).job(ref["job_id"]).wait(timeout=30)

    async def log_in(self, name: str = "Ada") -> None:
        """Somebody who has signed up, and is logged in from here on."""
        user = {"email": f"{name.lower()}@example.com", "name": name, "password": PASSWORD}
        await self.http.post("/users", json=user)
        token = (await self.http.post("/sessions", json=user)).json()["token"]
        self.http.headers["Authorization"] = f"Bearer {token}"

    async def operator(self, role: Role = Role.ADMIN) -> str:
        """A token for the admin API: what `corral token create` prints."""
        return await Tokens(self.database.corral).create("operator", role)


@asynccontextmanager
async def open_shop(settings: Settings, database: ShopDatabase) -> AsyncIterator[Shop]:
    """The API on a port of its own; nobody runs what it enqueues."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(serving(settings))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
        client = await stack.enter_async_context(Client(settings.redis_url))
        yield Shop(http, client, Relay(database.corral, client), database, ZoneInfo(settings.time_zone))
