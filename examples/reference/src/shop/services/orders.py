"""Orders. Each step looks at the state first: to take it twice does no harm, and a job may run twice."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shop.errors import NotFound, OutOfStock, Refused, Taken
from shop.models import Order, OrderState, StockItem, User

__all__ = ["cancel", "due", "get", "mark_charged", "of_user", "place", "refuse", "reserve", "revise", "ship"]

PAYABLE: Final = (OrderState.RESERVED, OrderState.CHARGED, OrderState.SHIPPED)


async def place(database: AsyncSession, user: User, *, item: str, quantity: int, note: str = "") -> Order:
    """Take an order. Raises `NotFound` for what is not sold."""
    sold = await database.get(StockItem, item)
    if sold is None:
        raise NotFound(f"{item} is not sold here")
    order = Order(
        user_id=user.id,
        item=item,
        quantity=quantity,
        total=sold.price * quantity,
        note=note,
        state=OrderState.PLACED,
    )
    database.add(order)
    await database.flush()
    return order


async def get(
    database: AsyncSession, order_id: str, *, of: User | None = None, to_change: bool = False
) -> Order:
    """An order; one that is to change is locked until the transaction ends.

    Raises `NotFound`, also for that of another user.
    """
    order = await database.get(Order, order_id, with_for_update=to_change)
    if order is None or (of is not None and order.user_id != of.id):
        raise NotFound("there is no such order")
    return order


async def revise(database: AsyncSession, order: Order, note: str) -> None:
    """Change the note."""
    order.note = note
    await database.flush()


def cancel(order: Order) -> None:
    """Take an order back. Raises `Taken` once something has happened for it."""
    if order.state not in (OrderState.PLACED, OrderState.CANCELLED):
        raise Taken(f"it is {order.state} already")
    order.state = OrderState.CANCELLED


async def reserve(database: AsyncSession, order: Order) -> None:
    """Set aside what was ordered. Raises `OutOfStock`, and `Refused` for what is not wanted any more."""
    if order.state in PAYABLE:
        return
    if order.state != OrderState.PLACED:
        raise Refused(f"the order is {order.state}")
    left = (
        update(StockItem)
        .where(StockItem.item == order.item, StockItem.available >= order.quantity)
        .values(available=StockItem.available - order.quantity)
        .returning(StockItem.available)
    )
    if await database.scalar(left) is None:
        raise OutOfStock(f"there are no {order.quantity} of {order.item} left")
    order.state = OrderState.RESERVED


def due(order: Order) -> int:
    """The cents to take for it. Raises `Refused` unless it was set aside."""
    if order.state not in PAYABLE:
        raise Refused(f"the order is {order.state}")
    return order.total


def mark_charged(order: Order) -> None:
    """The money is here."""
    if order.state == OrderState.RESERVED:
        order.state = OrderState.CHARGED


def ship(order: Order) -> None:
    """Hand it to the carrier. Raises `Refused` for what is not paid."""
    if order.state not in (OrderState.CHARGED, OrderState.SHIPPED):
        raise Refused(f"the order is {order.state}")
    order.state = OrderState.SHIPPED


async def refuse(database: AsyncSession, order: Order, reason: str) -> None:
    """Give up on it, unless it is over: put back what was set aside. What was charged is to be given back."""
    if order.state in (OrderState.RESERVED, OrderState.CHARGED):
        await database.execute(
            update(StockItem)
            .where(StockItem.item == order.item)
            .values(available=StockItem.available + order.quantity)
        )
    if order.state in (OrderState.PLACED, OrderState.RESERVED, OrderState.CHARGED):
        order.state, order.refusal = OrderState.REFUSED, reason[:1000]


async def of_user(database: AsyncSession, user: User, *, limit: int = 100) -> list[Order]:
    """The latest orders of a user."""
    latest = select(Order).where(Order.user_id == user.id).order_by(Order.created_at.desc()).limit(limit)
    return list(await database.scalars(latest))
