"""What a worker opens, and what it gives to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest

from corral import Client, Queue, Worker
from corral.client.queue import QueueClient
from corral.errors import InvalidOption


@asynccontextmanager
async def without(told: list[object]) -> AsyncIterator[None]:
    """Wants nothing of the worker."""
    told.append("nothing")
    yield


@asynccontextmanager
async def with_client(told: list[object], client: Client) -> AsyncIterator[None]:
    """Wants the client."""
    told.append(client)
    yield


@asynccontextmanager
async def with_default(told: list[object], other: str = "default") -> AsyncIterator[None]:
    """Has an argument of its own."""
    told.append(other)
    yield


@pytest.mark.parametrize(
    ("lifespan", "given"), [(without, "nothing"), (with_client, "client"), (with_default, "default")]
)
async def test_a_lifespan_may_take_the_client(
    client: Client, queue: QueueClient, lifespan: Callable[..., Any], given: str
) -> None:
    """One with an argument that has to be given gets the worker's client; any other is called without."""
    told: list[object] = []
    async with Worker(Queue(queue.name), client=client, lifespan=partial(lifespan, told)):
        pass
    assert told == [client if given == "client" else given]


async def undecorated() -> AsyncIterator[None]:
    """Lacks `@asynccontextmanager`."""
    yield


async def without_yield() -> None:
    """Opens something, and is no context."""


@pytest.mark.parametrize("lifespan", [undecorated, without_yield, lambda: None])
async def test_what_is_no_lifespan(client: Client, queue: QueueClient, lifespan: Any) -> None:
    """A function that makes no context manager is an error that says how to write one."""
    with pytest.raises(InvalidOption, match=r"put @contextlib\.asynccontextmanager above it"):
        async with Worker(Queue(queue.name), client=client, lifespan=lifespan):
            pass
