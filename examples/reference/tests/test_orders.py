"""Orders: a flow of steps, with a payment provider that has bad days; and a search that follows behind."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx

from at_work import Shop
from corral import JobState
from outside.mail import MailServer
from outside.partner import Partner
from shop.models import StockItem
from shop.settings import Settings
from shop.tasks import OrderRef, OrderTasks
from shop.worker import create_worker

ANVIL = {"item": "anvil", "quantity": 2, "note": "for the coyote"}


async def left(shop: Shop, item: str) -> int:
    """How many are for sale."""
    async with shop.database.reading() as session:
        return (await session.get_one(StockItem, item)).available


async def order_of(shop: Shop, placed: httpx.Response) -> dict[str, Any]:
    """The order, once the worker is through with it."""
    job = await shop.ended(placed)
    assert job.state == JobState.COMPLETED, job.failed_reason
    order: dict[str, Any] = (await shop.http.get(f"/orders/{placed.json()['id']}")).json()
    return order


async def test_an_order_is_fulfilled(shop: Shop, mails: MailServer, outside: Partner) -> None:
    """Reserved, charged, shipped, and a mail: each once, one after the other."""
    await shop.log_in()
    placed = await shop.http.post("/orders", json=ANVIL)
    order = await order_of(shop, placed)
    assert (order["state"], order["total"]) == ("shipped", 9800)
    assert await left(shop, "anvil") == 98
    assert outside.charges == {order["id"]: 9800}
    assert [mail.subject for mail in mails.mails if "order" in mail.subject] == ["Your order is shipped"]


async def test_a_bad_day_of_the_payment_provider(shop: Shop, outside: Partner) -> None:
    """503 is an ordinary error: the step is tried again, and the money is taken once."""
    outside.bad_answers = 2
    await shop.log_in()
    order = await order_of(shop, await shop.http.post("/orders", json=ANVIL))
    assert order["state"] == "shipped"
    assert [call.status for call in outside.calls] == [503, 503, 200]
    log = await shop.client.queue("orders").logs(f"orders.charge:{order['id']}")
    assert [line.partition(", ")[2] for line in log] == [f"attempt {number} of 8" for number in (1, 2, 3)]


async def test_a_payment_that_is_refused(shop: Shop, mails: MailServer, outside: Partner) -> None:
    """402 is an answer: nobody asks twice, what was set aside is put back, and the customer is told."""
    await shop.log_in()
    placed = await shop.http.post("/orders", json={"item": "anvil", "quantity": 30})
    order = await order_of(shop, placed)
    assert (order["state"], order["refusal"]) == ("refused", "the payment was refused")
    assert await left(shop, "anvil") == 100
    assert outside.charges == {}
    assert [call.status for call in outside.calls if call.what == "charge"] == [402]
    assert "Your order is refused" in {mail.subject for mail in mails.mails}
    await outside.wait_for(lambda calls: [call.about for call in calls] == [order["id"]], what="void")


async def test_more_than_there_is(shop: Shop, outside: Partner) -> None:
    """What cannot be set aside is not charged."""
    await shop.log_in()
    order = await order_of(shop, await shop.http.post("/orders", json={"item": "rope", "quantity": 5}))
    assert (order["state"], order["refusal"]) == ("refused", "there are no 5 of rope left")
    assert await left(shop, "rope") == 3
    assert "charge" not in [call.what for call in outside.calls]


async def test_what_is_not_sold(closed_shop: Shop) -> None:
    """An order that cannot be is an answer, and no job."""
    await closed_shop.log_in()
    await closed_shop.relay.drain()
    assert (await closed_shop.http.post("/orders", json={"item": "moon"})).status_code == 404
    assert await closed_shop.relay.drain() == 0


async def test_many_at_once(closed_shop: Shop) -> None:
    """More requests than there are connections: each holds one at a time, so that none waits for another with one in
    its hands."""
    await closed_shop.log_in()
    placing = (closed_shop.http.post("/orders", json=ANVIL) for _ in range(40))
    assert {each.status_code for each in await asyncio.gather(*placing)} == {httpx.codes.ACCEPTED}


async def test_the_search_follows(shop: Shop) -> None:
    """What is found is the order as it is by then."""
    await shop.log_in()
    placed = await shop.http.post("/orders", json=ANVIL)
    await order_of(shop, placed)
    path = f"/orders/{placed.json()['id']}"
    await shop.ended(await shop.http.patch(path, json={"note": "for the roadrunner"}))
    assert [order["id"] for order in (await shop.http.get("/orders?q=roadrunner")).json()] == [
        placed.json()["id"]
    ]
    assert (await shop.http.get("/orders?q=coyote")).json() == []


async def test_of_many_changes_the_search_sees_the_last(closed_shop: Shop) -> None:
    """A newer job takes the place of an older one: five changes are one run."""
    await closed_shop.log_in()
    placed = await closed_shop.http.post("/orders", json=ANVIL)
    for number in range(5):
        await closed_shop.http.patch(f"/orders/{placed.json()['id']}", json={"note": f"note {number}"})
    await closed_shop.relay.drain()
    counts = await closed_shop.client.queue("search").counts()
    assert (counts[JobState.WAITING], counts[JobState.FAILED]) == (1, 5)


async def test_what_was_taken_back_goes_nowhere(
    closed_shop: Shop, settings: Settings, outside: Partner
) -> None:
    """The job of an order that was cancelled in time finds that out, and nobody is charged."""
    await closed_shop.log_in()
    placed = await closed_shop.http.post("/orders", json=ANVIL)
    await closed_shop.http.delete(f"/orders/{placed.json()['id']}")
    async with create_worker(settings):
        order = await order_of(closed_shop, placed)
    assert order["state"] == "cancelled"
    assert await left(closed_shop, "anvil") == 100
    assert outside.calls == []


async def test_a_step_that_an_operator_runs_again(shop: Shop, outside: Partner) -> None:
    """To retry the charge of an order that was given up takes no money."""
    await shop.log_in()
    placed = await shop.http.post("/orders", json={"item": "rope", "quantity": 5})
    order = await order_of(shop, placed)
    charge = await OrderTasks.charge.enqueue(shop.client, OrderRef(order_id=order["id"]))
    assert "the order is refused" in str((await charge.wait(timeout=30)).failed_reason)
    assert outside.charges == {}


async def test_taking_it_back(closed_shop: Shop) -> None:
    """While nothing has happened an order may be taken back, by its owner."""
    await closed_shop.log_in("Ada")
    path = f"/orders/{(await closed_shop.http.post('/orders', json=ANVIL)).json()['id']}"
    await closed_shop.log_in("Grace")
    assert (await closed_shop.http.delete(path)).status_code == 404
    await closed_shop.log_in("Ada")
    assert (await closed_shop.http.delete(path)).status_code == 202
    assert (await closed_shop.http.get(path)).json()["state"] == "cancelled"


async def test_a_shipped_order_stays(shop: Shop) -> None:
    """Later it is too late."""
    await shop.log_in()
    placed = await shop.http.post("/orders", json=ANVIL)
    await order_of(shop, placed)
    assert (await shop.http.delete(f"/orders/{placed.json()['id']}")).status_code == 409
