"""The contracts: what jobs there are, with what goes in and what comes out. API and worker both import them; they
import neither. Mails, webhooks, audit log and cleanup have theirs in `corral.tasks`."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel

from corral import Exponential, Keep, Task, TaskSet, task

__all__ = ["DayReport", "OrderRef", "OrderTasks", "ReportDay", "ReportTasks", "SearchTasks"]


class OrderRef(BaseModel):
    """An order, named and not carried: the handler reads it as it is by then."""

    order_id: str


class OrderTasks(TaskSet, queue="orders", attempts=5, timeout=30):
    """An order on its way. `fulfil` has the steps as its children, one after the other."""

    fulfil: Task[OrderRef, str] = task("orders.fulfil")
    reserve: Task[OrderRef, None] = task("orders.reserve")
    charge: Task[OrderRef, None] = task("orders.charge", attempts=8, backoff=Exponential(0.5, jitter=0.2))
    ship: Task[OrderRef, None] = task("orders.ship")
    # Money that is to be given back: for two days, not for as long as an order may take.
    void: Task[OrderRef, None] = task("orders.void", attempts=16, backoff=Exponential(5, jitter=0.2))


class SearchTasks(TaskSet, queue="search", remove_on_fail=Keep(count=100)):
    """The index of the search. Of several jobs for one order only the newest runs: it reads the order as it is. The
    others end as superseded, and nobody has to look at more than a few of those."""

    index: Task[OrderRef, None] = task("search.index", supersedes="order_id")


class ReportDay(BaseModel):
    """Which day; None: yesterday, by the clock of the shop."""

    day: date | None = None


class DayReport(BaseModel):
    """A day of the shop in numbers."""

    day: date
    orders: int
    revenue: int


class ReportTasks(TaskSet, queue="reports", singleton=True):
    """Reports take a while, and two at a time would slow down the shop: one runs, the others wait for their turn."""

    daily: Task[ReportDay, DayReport] = task("reports.daily", timeout=600)
