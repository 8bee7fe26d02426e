"""What operators have: the dashboard, the admin API, cron jobs from the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from at_work import Shop, open_shop
from corral import JobState
from corral.store.roles import Role
from outside.mail import MailServer
from shop.database import ShopDatabase
from shop.models import Session, now
from shop.settings import Settings


async def cron_jobs(shop: Shop, token: str) -> dict[str, dict[str, Any]]:
    """All cron jobs, by their job ids."""
    answer = await shop.http.get("/api/admin/cronJob", headers={"Authorization": f"Bearer {token}"})
    return {each["jobId"]: each for each in answer.json()["items"]}


async def test_the_dashboard_wants_a_password(
    settings: Settings, database: ShopDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is at /bullBoard, for who has the credentials of the environment."""
    monkeypatch.setenv("BULL_BOARD_USERNAME", "ada")
    monkeypatch.setenv("BULL_BOARD_PASSWORD", "lovelace")
    async with open_shop(settings, database) as shop:
        assert (await shop.http.get("/bullBoard/")).status_code == httpx.codes.UNAUTHORIZED
        page = await shop.http.get("/bullBoard/", auth=("ada", "lovelace"))
        assert page.status_code == httpx.codes.OK
        assert "Shop" in page.text


async def test_without_a_password_it_is_closed(closed_shop: Shop) -> None:
    """Nothing is open because somebody forgot a variable; on a developer's machine CORRAL_ENV=development opens it."""
    assert (await closed_shop.http.get("/bullBoard/")).status_code == httpx.codes.FORBIDDEN


@pytest.mark.parametrize("path", ["/api/v1/queues", "/api/admin/cronJob", "/metrics"])
async def test_the_admin_api_wants_a_token(closed_shop: Shop, path: str) -> None:
    """Its own tokens, with a role; a customer who is logged in is nobody there."""
    await closed_shop.log_in()
    assert (await closed_shop.http.get(path)).status_code == httpx.codes.UNAUTHORIZED
    token = await closed_shop.operator(Role.ADMIN)
    answer = await closed_shop.http.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == httpx.codes.OK


async def test_a_job_is_looked_at(shop: Shop, mails: MailServer) -> None:
    """The admin API tells of a job that an endpoint has named."""
    await shop.log_in()
    invited = await shop.http.post("/invitations", json={"email": "alan@example.com"})
    job = await shop.ended(invited)
    token = await shop.operator()
    path = f"/api/v1/jobs/email/{job.id}"
    status = (await shop.http.get(path, headers={"Authorization": f"Bearer {token}"})).json()
    assert (status["state"], status["name"]) == ("completed", "email.invitation")


async def test_cron_jobs_are_declared(shop: Shop) -> None:
    """The worker has stored what the program declares: operators see it, and may change it."""
    found = await cron_jobs(shop, await shop.operator())
    assert found.keys() == {
        "nightly-report",
        "expired-sessions",
        "old-webhook-events",
        "old-audit-entries",
        "old-log-in-attempts",
    }
    assert {each["owner"] for each in found.values()} == {"code"}
    assert [each["problem"] for each in found.values()] == [None] * 5


async def test_expired_sessions_are_removed(shop: Shop) -> None:
    """The cron job, triggered by an operator: what has ended goes, what has not stays."""
    await shop.log_in()
    async with shop.database.writing() as session:
        owner = (await session.scalars(select(Session))).one().user_id
        ended = now() - timedelta(hours=1)
        session.add_all(Session(id=str(number), user_id=owner, expires_at=ended) for number in range(3))
    token = {"Authorization": f"Bearer {await shop.operator()}"}
    cron_job = (await cron_jobs(shop, token["Authorization"].removeprefix("Bearer ")))["expired-sessions"]
    triggered = await shop.http.post(f"/api/admin/cronJob/{cron_job['id']}/trigger", headers=token)
    job = await shop.client.queue("cleanup").job(triggered.json()["id"]).wait(timeout=30)
    assert (job.state, job.returnvalue) == (JobState.COMPLETED, {"count": 3})
    async with shop.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Session)) == 1
