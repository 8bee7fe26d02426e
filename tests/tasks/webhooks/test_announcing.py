"""Announcements: a job for each subscription that wants an event, made at once or by a job."""

from __future__ import annotations

import asyncio
import json

from sqlalchemy.ext.asyncio import async_sessionmaker

from corral import Client, Worker
from corral.store.database import Database
from corral.store.relay import Relay
from corral.tasks.webhooks import Announcement, Signing, Watched, Webhooks, announce_changes
from tests.tasks.webhooks.receiver import Receiver
from tests.tasks.webhooks.shop import Base, Order, order_data
from tests.tasks.webhooks.subscribed import Quick, working


async def test_who_wants_it_is_told(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """An announcement is a job for each subscription whose patterns it fits."""
    all_ = await webhooks.subscribe(receiver.url("/all"))
    orders = await webhooks.subscribe(receiver.url("/orders"), events=["order.*"], signing=Signing.STANDARD)
    await webhooks.subscribe(receiver.url("/users"), events=["user.*"])
    handles = await webhooks.announce(client, action="delete", resource="order", resource_id="17")
    async with Worker(webhooks.tasks(), client=client):
        for handle in handles:
            await handle.result(timeout=10)
    assert {got.path for got in receiver.requests} == {"/all", "/orders"}
    assert len(handles) == 2
    assert all_.signing == "rsa-sha256"
    assert (await webhooks.keys(orders.id))[0].text.startswith("whsec_")

    async def again() -> list[str]:
        told = await webhooks.announce(
            client, action="update", resource="order", resource_id="1", event_id="e"
        )
        return [handle.id for handle in told]

    assert await again() == await again() == [f"e-{all_.id}", f"e-{orders.id}"]
    await webhooks.subscriptions.disable(all_.id, "not paid")
    assert await again() == [f"e-{orders.id}"]


async def test_what_is_owned_is_told_to_nobody_else(
    client: Client, webhooks: Webhooks, receiver: Receiver
) -> None:
    """Whose it is: that owner's subscriptions are told, and those that nobody owns. Without an owner all are."""
    made = {
        owner: (await webhooks.subscribe(receiver.url(), signing=Signing.HMAC, owner=owner)).id
        for owner in ("acme", "globex", None)
    }

    async def told(owner: str | None) -> set[str]:
        handles = await webhooks.announce(
            client, action="create", resource="order", resource_id="1", owner=owner, event_id=str(owner)
        )
        return {handle.id.partition("-")[2] for handle in handles}

    assert await told("acme") == {made["acme"], made[None]}
    assert await told("nobody") == {made[None]}
    assert await told(None) == set(made.values())


async def test_a_job_announces_once(client: Client, webhooks: Webhooks, receiver: Receiver) -> None:
    """However often it runs: the ids of the deliveries are made of its own and of the subscription's."""
    subscription = await webhooks.subscribe(receiver.url(), signing=Signing.HMAC, events=["order.*"])
    await webhooks.subscribe(receiver.url(), signing=Signing.HMAC, events=["user.*"])
    announcement = Announcement(action="delete", resource="order", resource_id="7", data={"n": 1})
    async with working(client, webhooks):
        for _ in range(2):
            handle = await Quick.announce.enqueue(client, announcement, job_id="again")
            assert (await handle.result(timeout=10)).count == 1
            await handle.remove()
        delivery = await client.queue("quick").get(f"again-{subscription.id}")
        assert delivery
        assert delivery.data["data"] == {"n": 1}
    counts = await client.queue("quick").counts()
    assert sum(counts.values()) == 1


async def test_what_is_stored_is_delivered(
    client: Client, webhooks: Webhooks, receiver: Receiver, database: Database
) -> None:
    """From the commit of the application to the receiver: the outbox, a relay, the announcement, the delivery. No other
    owner's receiver is told of it."""
    for owner in ("globex", "acme"):
        await webhooks.subscribe(
            receiver.url(f"/{owner}"), signing=Signing.HMAC, events=["order.create"], owner=owner
        )
    sessions = async_sessionmaker(database.engine)
    watched = Watched(resource="order", data=order_data, owner=Order.owner)
    announce_changes(sessions, {Order: watched}, tasks=Quick)
    async with database.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with sessions.begin() as session:
        session.add(Order(state="paid", owner="acme"))
    assert await Relay(database, client).drain() == 1
    async with working(client, webhooks):
        await asyncio.wait_for(receiver.called.wait(), 10)
    assert [got.path for got in receiver.requests] == ["/acme"]
    assert sum((await client.queue("quick").counts()).values()) == 2  # the announcement and one delivery
    body = json.loads(receiver.requests[0].body)
    assert (body["type"], body["resourceId"], body["data"]["state"]) == ("order.create", "1", "paid")
