"""Handlers and services by themselves: a handler is a function, and is called as one. No Redis here."""

from __future__ import annotations

from typing import cast
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from corral import Context, Job, Unrecoverable
from outside.partner import Partner
from shop.database import ShopDatabase
from shop.errors import PaymentRefused, PaymentsAway, Refused
from shop.handlers.refusals import refusals
from shop.handlers.reports import ReportHandlers
from shop.handlers.search import SearchHandlers
from shop.models import Order, SearchEntry, StockItem, User
from shop.services import orders, users
from shop.services.passwords import Hashed
from shop.services.payments import Payments
from shop.tasks import OrderRef, ReportDay


@pytest.fixture
async def ada(database: ShopDatabase) -> User:
    """Somebody who may order."""
    async with database.writing() as session:
        return await users.sign_up(session, email="ada@example.com", name="Ada", password=Hashed("-"))


async def _placed(database: ShopDatabase, user: User, quantity: int = 1) -> Order:
    async with database.writing() as session:
        return await orders.place(session, user, item="anvil", quantity=quantity)


async def test_an_order_is_indexed(database: ShopDatabase, ada: User) -> None:
    """Called twice it is the same entry; for an order that is gone there is none."""
    order, handlers = await _placed(database, ada), SearchHandlers(database)
    for _ in range(2):
        await handlers.index(OrderRef(order_id=order.id))
    async with database.writing() as session:
        assert (await session.get_one(SearchEntry, order.id)).words == "anvil  placed"
        await session.delete(await orders.get(session, order.id))
    await handlers.index(OrderRef(order_id=order.id))
    async with database.reading() as session:
        assert await session.get(SearchEntry, order.id) is None


async def test_a_report_of_an_empty_day(database: ShopDatabase) -> None:
    """Yesterday, where nobody says which day."""
    report = await ReportHandlers(database, ZoneInfo("Europe/Berlin")).daily(ReportDay())
    assert (report.orders, report.revenue) == (0, 0)


async def test_a_step_that_is_taken_twice(database: ShopDatabase, ada: User) -> None:
    """A job may run twice: what was set aside is set aside once, and put back once."""
    order = await _placed(database, ada, 2)
    for step, left in ((orders.reserve, 98), (_refuse, 100)):
        for _ in range(2):
            async with database.writing() as session:
                await step(session, await orders.get(session, order.id))
        async with database.reading() as session:
            assert (await session.get_one(StockItem, "anvil")).available == left


async def _refuse(session: AsyncSession, order: Order) -> None:
    await orders.refuse(session, order, "it is enough")


async def test_nothing_is_shipped_unpaid(database: ShopDatabase, ada: User) -> None:
    """The order of the steps is the service's business, whoever calls it."""
    order = await _placed(database, ada)
    with pytest.raises(Refused, match="the order is placed"):
        orders.ship(order)


async def test_the_payment_provider(outside: Partner) -> None:
    """Money is taken once for an order, refused above the limit, and given back."""
    async with Payments(outside.url) as payments:
        for _ in range(2):
            await payments.charge("1", 4900)
        assert outside.charges == {"1": 4900}
        with pytest.raises(PaymentRefused):
            await payments.charge("2", 10_000_000)
        outside.bad_answers = 1
        with pytest.raises(PaymentsAway):
            await payments.charge("3", 100)
        await payments.void("1")
        assert outside.charges == {}


async def test_what_the_shop_refuses_is_not_tried_again() -> None:
    """The one place where errors of the shop become outcomes of jobs."""

    async def refuse() -> None:
        raise Refused("no")

    with pytest.raises(Unrecoverable, match="no"):
        await refusals(cast("Job", None), cast("Context", None), refuse)
