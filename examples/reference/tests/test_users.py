"""Users and sessions: what an endpoint stores and what it enqueues are one transaction."""

from __future__ import annotations

import httpx
from sqlalchemy import update

from at_work import PASSWORD, Shop
from corral import JobState
from corral.store.audit_log import AuditLog
from outside.mail import MailServer
from shop.models import Session, now

ADA = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}


async def test_who_signs_up_is_greeted(shop: Shop, mails: MailServer) -> None:
    """The answer comes at once, with the job's id; the mail arrives at a real mail server."""
    accepted = await shop.http.post("/users", json=ADA)
    job = await shop.ended(accepted)
    assert job.id == f"welcome-email:{accepted.json()['id']}"
    (mail,) = mails.mails
    assert (mail.recipient, mail.subject) == ("ada@example.com", "Welcome to Shop, Ada")


async def test_an_address_signs_up_once(shop: Shop, mails: MailServer) -> None:
    """The second time nothing is stored, and so nothing is enqueued: the mail belongs to the transaction."""
    await shop.ended(await shop.http.post("/users", json=ADA))
    again = await shop.http.post("/users", json=ADA)
    assert again.status_code == httpx.codes.CONFLICT
    assert await shop.relay.drain() == 0
    assert len(mails.mails) == 1


async def test_signing_up_needs_no_redis(closed_shop: Shop) -> None:
    """Nothing but the database has to answer: the job waits in the outbox until a relay takes it along."""
    assert (await closed_shop.http.post("/users", json=ADA)).status_code == httpx.codes.ACCEPTED
    queue = closed_shop.client.queue("email")
    assert (await queue.counts())[JobState.PRIORITIZED] == 0
    await closed_shop.relay.drain()
    assert (await queue.counts())[JobState.PRIORITIZED] == 1


async def test_signing_up_is_written_down(shop: Shop) -> None:
    """The audit log has who did what, written by a job."""
    accepted = await shop.http.post("/users", json=ADA)
    await shop.ended(accepted, 1)
    (entry,) = (await AuditLog(shop.database.corral).page("shop")).entries
    assert (entry.action, entry.resource_id) == ("user.sign-up", accepted.json()["id"])


async def test_logging_in(closed_shop: Shop) -> None:
    """A token opens what is one's own; a wrong password, no token and one that has ended open nothing."""
    await closed_shop.log_in()
    assert (await closed_shop.http.get("/orders")).json() == []
    wrong = await closed_shop.http.post("/sessions", json={**ADA, "password": "wrong wrong wrong"})
    assert wrong.status_code == httpx.codes.UNAUTHORIZED
    async with closed_shop.database.writing() as session:
        await session.execute(update(Session).values(expires_at=now()))
    assert (await closed_shop.http.get("/orders")).status_code == httpx.codes.UNAUTHORIZED


async def test_logging_out(closed_shop: Shop) -> None:
    """The token is worth nothing from then on."""
    await closed_shop.log_in()
    assert (await closed_shop.http.delete("/sessions")).status_code == httpx.codes.NO_CONTENT
    assert (await closed_shop.http.get("/orders")).status_code == httpx.codes.UNAUTHORIZED


async def test_health(closed_shop: Shop) -> None:
    """Alive, and ready while the database answers."""
    assert (await closed_shop.http.get("/healthz")).json() == {"status": "alive"}
    assert (await closed_shop.http.get("/readyz")).json() == {"status": "ready"}
