"""An order on its way: reserve, charge, ship, then a mail; or back to where it began."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from corral import Context, JobFailed
from corral.store.outbox import outbox
from corral.tasks.email import EmailTasks, Notification
from shop.database import ShopDatabase
from shop.models import Order, OrderState, User
from shop.services import orders
from shop.services.payments import Payments
from shop.tasks import OrderRef, OrderTasks, SearchTasks

__all__ = ["OrderHandlers"]


class OrderHandlers:
    """Runs `OrderTasks`."""

    def __init__(self, database: ShopDatabase, payments: Payments, *, ask_after: timedelta) -> None:
        self._database = database
        self._payments = payments
        self._ask_after = ask_after

    def tasks(self) -> OrderTasks:
        """The task set with its handlers, for a worker."""
        return OrderTasks(
            fulfil=self.fulfil, reserve=self.reserve, charge=self.charge, ship=self.ship, void=self.void
        )

    async def fulfil(self, ref: OrderRef, ctx: Context) -> str:
        """Take the steps, as a flow: while one runs this handler is left, and when it has ended begins again."""
        try:
            for step in (OrderTasks.reserve, OrderTasks.charge, OrderTasks.ship):
                node = step.node(ref, job_id=f"{step.name}:{ref.order_id}", on_failure="ignore")
                await ctx.run_children([node])  # what was ignored is raised here
        except JobFailed as failure:
            async with self._changing(ref) as (database, order):
                await orders.refuse(database, order, failure.reason)
                if order.state == OrderState.REFUSED:  # money may have been taken, and the answer lost
                    await OrderTasks.void.enqueue(outbox(database), ref, job_id=f"void:{order.id}")
        async with self._database.reading() as database:
            order = await orders.get(database, ref.order_id)
            customer = await database.get_one(User, order.user_id)
        receipt = EmailTasks.notification.node(_receipt(order, customer), job_id=f"receipt-email:{order.id}")
        await ctx.run_children([receipt])
        if order.state == OrderState.SHIPPED:
            await EmailTasks.notification.enqueue(
                ctx.client,
                _question(order, customer),
                job_id=f"question-email:{order.id}",
                delay=self._ask_after,
            )
        return order.state

    async def reserve(self, ref: OrderRef) -> None:
        """Set aside what was ordered."""
        async with self._changing(ref) as (database, order):
            await orders.reserve(database, order)

    async def charge(self, ref: OrderRef, ctx: Context) -> None:
        """Take the money. Not inside of a transaction: the provider may take its time."""
        async with self._database.reading() as database:
            order = await orders.get(database, ref.order_id)
        await ctx.log(f"{order.total / 100:.2f} €, attempt {ctx.attempt} of {ctx.attempts}")
        await self._payments.charge(order.id, orders.due(order))
        async with self._changing(ref) as (database, order):
            orders.mark_charged(order)
            if order.state == OrderState.REFUSED:  # meanwhile, because this run was taken for dead
                await OrderTasks.void.enqueue(outbox(database), ref, job_id=f"void-late:{order.id}")

    async def ship(self, ref: OrderRef) -> None:
        """Hand it to the carrier."""
        async with self._changing(ref) as (_, order):
            orders.ship(order)

    async def void(self, ref: OrderRef) -> None:
        """Give back what was taken for an order that is refused."""
        await self._payments.void(ref.order_id)

    @asynccontextmanager
    async def _changing(self, ref: OrderRef) -> AsyncIterator[tuple[AsyncSession, Order]]:
        """An order, to be changed: the search follows, if the change is stored."""
        async with self._database.writing() as database:
            order = await orders.get(database, ref.order_id, to_change=True)
            yield database, order
            await SearchTasks.index.enqueue(outbox(database), ref)


def _receipt(order: Order, customer: User) -> Notification:
    return Notification(
        to=customer.email,
        title=f"Your order is {order.state}",
        text=order.refusal or f"{order.quantity} × {order.item}, {order.total / 100:.2f} €. Thank you!",
    )


def _question(order: Order, customer: User) -> Notification:
    return Notification(
        to=customer.email, title=f"How is your {order.item}?", text="Tell us by answering this mail."
    )
