"""Orders: placed here, fulfilled by the worker."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, status
from pydantic import BaseModel, ConfigDict, Field

from corral.store.outbox import outbox
from corral.tasks.audit import Audited, AuditTasks
from shop.api.accepted import Accepted
from shop.api.dependencies import Reading, TheUser, Transaction
from shop.api.texts import Text
from shop.models import Order
from shop.services import orders, search
from shop.tasks import OrderRef, OrderTasks, SearchTasks

__all__ = ["router"]

router = APIRouter(prefix="/orders", tags=["orders"])


class NewOrder(BaseModel):
    """What somebody wants to have."""

    item: Text = Field(max_length=100)
    quantity: int = Field(default=1, ge=1, le=1000)
    note: Text = Field(default="", max_length=1000)


class Revision(BaseModel):
    """What may be changed of an order."""

    note: Text = Field(max_length=1000)


class OrderView(BaseModel):
    """An order, as its owner sees it."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    item: str
    quantity: int
    total: int
    note: str
    state: str
    refusal: str | None
    created_at: datetime


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def place(new: NewOrder, user: TheUser, database: Transaction) -> Accepted:
    """Take an order. What follows is the worker's: the state of the order says how far it is."""
    order = await orders.place(database, user, item=new.item, quantity=new.quantity, note=new.note)
    ref, jobs = OrderRef(order_id=order.id), outbox(database)
    placed = Audited(
        org="shop", actor=user.id, action="order.place", resource_type="order", resource_id=order.id
    )
    return Accepted.of(
        order.id,
        await OrderTasks.fulfil.enqueue(jobs, ref, job_id=f"fulfil:{order.id}"),
        await SearchTasks.index.enqueue(jobs, ref),
        await AuditTasks.record.enqueue(jobs, placed),
    )


@router.get("")
async def list_orders(
    user: TheUser, database: Reading, q: Annotated[Text, Query(max_length=100)] = ""
) -> list[OrderView]:
    """The latest orders, or those in which a text stands."""
    found = await search.find(database, user, q) if q else await orders.of_user(database, user)
    return [_view(order) for order in found]


@router.get("/{order_id}")
async def look_at(order_id: Text, user: TheUser, database: Reading) -> OrderView:
    """One order."""
    return _view(await orders.get(database, order_id, of=user))


@router.patch("/{order_id}", status_code=status.HTTP_202_ACCEPTED)
async def revise(order_id: Text, revision: Revision, user: TheUser, database: Transaction) -> Accepted:
    """Change its note. Of ten changes in a row the search sees the last: newer jobs take the place of older ones."""
    order = await orders.get(database, order_id, of=user, to_change=True)
    await orders.revise(database, order, revision.note)
    index = await SearchTasks.index.enqueue(outbox(database), OrderRef(order_id=order.id))
    return Accepted.of(order.id, index)


@router.delete("/{order_id}", status_code=status.HTTP_202_ACCEPTED)
async def cancel(order_id: Text, user: TheUser, database: Transaction) -> Accepted:
    """Take it back, while nothing has happened for it."""
    order = await orders.get(database, order_id, of=user, to_change=True)
    orders.cancel(order)
    index = await SearchTasks.index.enqueue(outbox(database), OrderRef(order_id=order_id))
    return Accepted.of(order_id, index)


def _view(order: Order) -> OrderView:
    return OrderView.model_validate(order)
