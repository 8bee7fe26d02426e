"""The models of an application: orders of two kinds with their lines, and customers, whom nobody watches."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

__all__ = ["Base", "Customer", "Line", "Order", "RushOrder", "Step", "order_data"]


class Base(DeclarativeBase):
    """The root."""


class Customer(Base):
    """Somebody."""

    __tablename__ = "customers"

    id: Mapped[int] = mapped_column(primary_key=True)
    orders: Mapped[list[Order]] = relationship(cascade="all, delete-orphan", back_populates="customer")


class Order(Base):
    """What is bought."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(default="plain")
    state: Mapped[str] = mapped_column(default="new")
    total: Mapped[int] = mapped_column(default=150)
    """In cents."""
    card: Mapped[str] = mapped_column(default="hunter2")
    owner: Mapped[str | None]
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    customer: Mapped[Customer | None] = relationship(back_populates="orders")

    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "plain"}  # noqa: RUF012 - as SQLAlchemy has it


class RushOrder(Order):
    """What is bought in a hurry."""

    courier: Mapped[str | None]

    __mapper_args__ = {"polymorphic_identity": "rush"}  # noqa: RUF012 - as SQLAlchemy has it


class Line(Base):
    """A part of an order, with a key of two columns."""

    __tablename__ = "lines"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    order: Mapped[Order] = relationship()
    """Lines are stored behind their orders."""


class Step(Base):
    """What is done with an order, and what next. The next one is written when both are stored."""

    __tablename__ = "steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    next_id: Mapped[int | None] = mapped_column(ForeignKey("steps.id"))
    next: Mapped[Step | None] = relationship(remote_side="Step.id", post_update=True)


def order_data(order: Order) -> dict[str, Any]:
    """What is told of an order."""
    return {"state": order.state, "total": order.total}
