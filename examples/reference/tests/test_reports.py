"""Reports: one at a time, by hand and by night."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from at_work import Shop
from corral import JobState, Worker
from corral.store.roles import Role
from shop.models import Report
from shop.settings import Settings
from shop.tasks import DayReport, OrderRef, OrderTasks, ReportDay, ReportTasks

TODAY = datetime.now(UTC).date()


async def _operator(shop: Shop, role: Role = Role.OPERATOR) -> dict[str, str]:
    return {"Authorization": f"Bearer {await shop.operator(role)}"}


async def test_a_day_is_counted(shop: Shop) -> None:
    """What was shipped on a day, in numbers; made twice it is the same report."""
    await shop.log_in()
    placed = await shop.http.post("/orders", json={"item": "anvil"})
    await shop.ended(placed)
    day = datetime.fromisoformat((await shop.http.get(f"/orders/{placed.json()['id']}")).json()["created_at"])
    for _ in range(2):
        path = f"/reports/{day.astimezone(shop.zone).date()}"
        job = await shop.ended(await shop.http.post(path, headers=await _operator(shop)))
        assert job.state == JobState.COMPLETED, job.failed_reason
    async with shop.database.reading() as session:
        report = await session.get_one(Report, day.astimezone(shop.zone).date())
    assert (report.orders, report.revenue) == (1, 4900)


async def test_a_day_that_cannot_be_counted(closed_shop: Shop) -> None:
    """Nobody stalls the nightly report by days that are not there, or by asking for one again and again."""
    closed_shop.http.headers.update(await _operator(closed_shop))
    for day in ("9999-12-31", "0001-01-01"):
        assert (await closed_shop.http.post(f"/reports/{day}")).status_code == 422
    first, second = [(await closed_shop.http.post(f"/reports/{TODAY}")).json()["jobs"] for _ in range(2)]
    assert first == second


async def test_reports_are_for_operators(closed_shop: Shop) -> None:
    """What the shop has earned is no customer's business, nor is when it counts; and to look on is not to act."""
    path = f"/reports/{TODAY}"
    assert (await closed_shop.http.post(path)).status_code == 401
    await closed_shop.log_in()
    assert (await closed_shop.http.post(path)).status_code == 401
    for role, code in ((Role.VIEWER, 403), (Role.OPERATOR, 202)):
        answer = await closed_shop.http.post(path, headers=await _operator(closed_shop, role))
        assert answer.status_code == code


async def test_one_at_a_time(closed_shop: Shop, settings: Settings) -> None:
    """Reports are singletons: while one is made, the next waits for its turn, whoever asked for it."""
    began, go_on = asyncio.Event(), asyncio.Event()

    async def daily(_: ReportDay) -> DayReport:
        began.set()
        await go_on.wait()
        return DayReport(day=TODAY, orders=0, revenue=0)

    async with Worker(ReportTasks(daily=daily), url=settings.redis_url):
        first, second = [
            await ReportTasks.daily.enqueue(closed_shop.client, ReportDay(day=TODAY)) for _ in range(2)
        ]
        await began.wait()
        async with asyncio.timeout(30):  # until the worker has taken up the second one, too
            while "its turn" not in str(await second.why_waiting()):
                pass
        go_on.set()
        assert await first.result(timeout=30) == await second.result(timeout=30)


async def test_the_payload_names_an_order(closed_shop: Shop) -> None:
    """What the queue holds is a reference: nothing in it can be out of date, and nothing of it is secret."""
    job = await OrderTasks.fulfil.enqueue(closed_shop.client, OrderRef(order_id="7"))
    snapshot = await closed_shop.client.queue(job.queue).get(job.id)
    assert snapshot is not None
    assert snapshot.data == {"order_id": "7"}
