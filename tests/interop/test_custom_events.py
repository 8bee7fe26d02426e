"""Events of programs' own are heard on the other side."""

from __future__ import annotations

import asyncio

import pytest

from corral.client.queue import QueueClient
from tests.interop.bullmq import Heard, NodeQueue
from tests.interop.conformance.rows import FROM_CORRAL, FROM_NODE, row

pytestmark = pytest.mark.port


@row("custom-event", FROM_CORRAL)
async def test_node_hears_corrals(ours: QueueClient, heard: Heard) -> None:
    """A `QueueEvents` emits it with its fields, and goes on hearing what follows."""
    event_id = await ours.publish("shop.paid", {"amount": "12 €", "jobId": "7"})
    await ours.publish("shop.closed")
    await heard.until("shop.paid", "shop.closed", count=2)
    first, second = await heard.entries()
    assert (first["event"], first["fields"], first["id"]) == (
        "shop.paid",
        {"amount": "12 €", "jobId": "7"},
        event_id,
    )
    assert (second["event"], second["fields"]) == ("shop.closed", {})


@row("custom-event", FROM_NODE)
async def test_corral_hears_nodes(bull: NodeQueue, ours: QueueClient) -> None:
    """What a `QueueEventsProducer` publishes arrives as it is."""
    async with ours.events() as events:
        await bull.call("publishEvent", event={"eventName": "shop.paid", "amount": "12 €"})
        async with asyncio.timeout(20):
            event = await anext(aiter(events))
    assert (event.name, event.is_custom, dict(event.fields)) == ("shop.paid", True, {"amount": "12 €"})
