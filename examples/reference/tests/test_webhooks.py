"""Webhooks: a partner hears of changes of orders, signed, from the transaction that makes them."""

from __future__ import annotations

import httpx
import pytest

from at_work import Shop
from outside.partner import Partner
from shop.models import OrderState
from shop.settings import Settings
from shop.webhooks import create_webhooks


async def subscribe(shop: Shop, outside: Partner) -> None:
    """The partner subscribes, and checks signatures from here on."""
    answer = await shop.http.post("/webhooks", json={"url": f"{outside.url}/hooks"})
    assert answer.status_code == httpx.codes.CREATED, answer.text
    outside.key = answer.json()["public_key"]


async def test_each_change_is_told(shop: Shop, outside: Partner) -> None:
    """Created, and each step of its way; the receiver knows that it is from us."""
    await shop.log_in()
    await subscribe(shop, outside)
    await shop.ended(await shop.http.post("/orders", json={"item": "anvil"}))
    await outside.wait_for(lambda calls: len(calls) == 4, what="hook")
    hooks = [call for call in outside.calls if call.what == "hook"]
    assert {call.status for call in hooks} == {200}
    assert {(call.body["type"], call.body["data"]["state"]) for call in hooks} == {
        ("order.create", OrderState.PLACED),
        ("order.update", OrderState.RESERVED),
        ("order.update", OrderState.CHARGED),
        ("order.update", OrderState.SHIPPED),
    }


async def test_of_others_nothing_is_told(shop: Shop, outside: Partner) -> None:
    """A subscription belongs to who made it: it hears of its owner's orders."""
    await shop.log_in("Ada")
    await subscribe(shop, outside)
    await shop.log_in("Grace")
    await shop.ended(await shop.http.post("/orders", json={"item": "anvil"}))
    await shop.log_in("Ada")
    mine = (await shop.http.post("/orders", json={"item": "anvil"})).json()["id"]
    await outside.wait_for(lambda calls: len(calls) == 4, what="hook")
    assert {call.about for call in outside.calls if call.what == "hook"} == {mine}


@pytest.mark.parametrize("url", ["ftp://shop.example/", "http://10.0.0.1/", "no url"])
async def test_where_nobody_may_be_sent(closed_shop: Shop, url: str) -> None:
    """An address inside of the network is refused at once, and says no more than that."""
    await closed_shop.log_in()
    answer = await closed_shop.http.post("/webhooks", json={"url": url})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY


async def test_subscriptions_are_ones_own(closed_shop: Shop, settings: Settings, outside: Partner) -> None:
    """Who made it sees it, and takes it away; for others there is none."""
    await closed_shop.log_in("Ada")
    await subscribe(closed_shop, outside)
    (mine,) = (await closed_shop.http.get("/webhooks")).json()
    assert (mine["url"], mine["events"], mine["enabled"]) == (f"{outside.url}/hooks", ["order.*"], True)
    await create_webhooks(settings, closed_shop.database.corral).subscribe("http://127.0.0.1/nobodys")
    await closed_shop.log_in("Grace")
    assert (await closed_shop.http.get("/webhooks")).json() == []
    assert (await closed_shop.http.delete(f"/webhooks/{mine['id']}")).status_code == httpx.codes.NOT_FOUND
    await closed_shop.log_in("Ada")
    for code in (httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND):
        assert (await closed_shop.http.delete(f"/webhooks/{mine['id']}")).status_code == code
    assert (await closed_shop.http.get("/webhooks")).json() == []


@pytest.mark.parametrize("events", [["order.creat"], ["user.*"], []])
async def test_events_that_there_are_not(closed_shop: Shop, outside: Partner, events: list[str]) -> None:
    """Nobody waits for ever for an event that has no such name: the answer says which there are."""
    await closed_shop.log_in()
    answer = await closed_shop.http.post("/webhooks", json={"url": f"{outside.url}/hooks", "events": events})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert not events or "'order.create', 'order.update' or 'order.*'" in answer.json()["detail"][0]["msg"]
