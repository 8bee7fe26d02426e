"""Passing on what happens in the queues, as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from corral import Client, Event
from corral.client.events import EventSubscription

__all__ = ["following"]


@asynccontextmanager
async def following(
    client: Client, queues: Sequence[str], told: Callable[[Event], None]
) -> AsyncIterator[None]:
    """While inside, `told` gets every event of the queues."""
    async with AsyncExitStack() as stack:
        subscriptions = [await stack.enter_async_context(client.queue(queue).events()) for queue in queues]
        readers = [asyncio.create_task(_pass_on(events, told)) for events in subscriptions]
        try:
            yield
        finally:
            for reader in readers:
                reader.cancel()
            await asyncio.gather(*readers, return_exceptions=True)


async def _pass_on(events: EventSubscription, told: Callable[[Event], None]) -> None:
    async for event in events:
        told(event)
