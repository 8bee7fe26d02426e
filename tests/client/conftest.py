"""What the client's tests share: clients with a corner of their own, and a worker to finish jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from corral import Client, Context, Queue, Worker
from corral.client.queue import QueueClient
from tests.faults.proxy import Proxy
from tests.servers import ServerProcess


@pytest.fixture
async def make_client(prefix: str) -> AsyncIterator[Callable[..., Client]]:
    """Make clients: `make_client(url, timeout=1)`. Closed at the end."""
    async with AsyncExitStack() as stack:

        def make(url: str, timeout: float | None = None) -> Client:
            client = Client(url, prefix=prefix, timeout=timeout)
            stack.push_async_callback(client.close)
            return client

        yield make


@pytest.fixture
def client(make_client: Callable[..., Client], redis_url: str) -> Client:
    """A client of the run's server."""
    return make_client(redis_url)


@pytest.fixture
def queue(client: Client, queue_name: str) -> QueueClient:
    """This test's queue through the client."""
    return client.queue(queue_name)


@pytest.fixture
def proxy(server: ServerProcess) -> Iterator[Proxy]:
    """A proxy before the run's server."""
    with Proxy(server.port) as made:
        yield made


@pytest.fixture
def tasks(queue_name: str) -> Queue:
    """Tasks that finish at once, one way or the other."""
    tasks = Queue(queue_name, attempts=1)

    @tasks.task
    async def double(number: int) -> int:
        return 2 * number

    @tasks.task
    async def fail(reason: str) -> None:
        raise ValueError(reason)

    @tasks.task
    async def tell(lines: list[str], ctx: Context) -> None:
        for line in lines:
            await ctx.log(line)
            await ctx.progress({"line": line})

    return tasks


@pytest.fixture
def worker(tasks: Queue, client: Client) -> Worker:
    """A worker for these tasks, not yet running."""
    return Worker(tasks, client=client)
