"""Users and sessions: what an endpoint stores and what it enqueues are one transaction."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter

import httpx
import pytest
from sqlalchemy import func, select, update

from at_work import PASSWORD, Shop
from corral import JobState
from corral.store.audit_log import AuditLog
from outside.mail import MailServer
from shop.models import LogInAttempt, Session, User, now
from shop.services import invitations, passwords
from shop.services.sessions import ATTEMPTS, WINDOW

ADA = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}


async def test_who_signs_up_is_greeted(shop: Shop, mails: MailServer) -> None:
    """The answer comes at once, with the job's id; the mail arrives at a real mail server."""
    accepted = await shop.http.post("/users", json=ADA)
    job = await shop.ended(accepted)
    assert job.id == f"welcome-email:{accepted.json()['id']}"
    (mail,) = mails.mails
    assert (mail.recipient, mail.subject) == ("ada@example.com", "Welcome to Shop, Ada")
    link = re.search(r"^http\S+", mail.text, re.MULTILINE)
    assert link is not None
    assert (await shop.http.get(link[0])).status_code == httpx.codes.OK


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


async def test_guessing_passwords(closed_shop: Shop) -> None:
    """Of one address so many log-ins may fail; then even the right password has to wait, and the answer says how long.
    Others do not."""
    await closed_shop.log_in("Grace")
    await closed_shop.log_in("Ada")
    wrong = {**ADA, "password": "wrong wrong wrong"}
    tries = [await closed_shop.http.post("/sessions", json=wrong) for _ in range(ATTEMPTS)]
    assert {each.status_code for each in tries} == {httpx.codes.UNAUTHORIZED}
    refused = await closed_shop.http.post("/sessions", json={**ADA, "email": "ADA@example.com"})
    assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert 0 < int(refused.headers["Retry-After"]) <= WINDOW.total_seconds()
    await closed_shop.log_in("Grace")
    async with closed_shop.database.writing() as session:
        await session.execute(update(LogInAttempt).values(at=now() - WINDOW))
    await closed_shop.log_in("Ada")
    async with closed_shop.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(LogInAttempt)) == 0


async def test_guessing_passwords_at_once(closed_shop: Shop) -> None:
    """An attempt is counted before it is made, so that many at once are not more."""
    await closed_shop.log_in()
    wrong = {**ADA, "password": "wrong wrong wrong"}
    tries = (closed_shop.http.post("/sessions", json=wrong) for _ in range(ATTEMPTS + 5))
    codes = Counter([each.status_code for each in await asyncio.gather(*tries)])
    assert codes == {httpx.codes.UNAUTHORIZED: ATTEMPTS, httpx.codes.TOO_MANY_REQUESTS: 5}


async def test_nobody_waits_for_a_password(closed_shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes long on purpose: meanwhile the API answers, and others write."""
    await closed_shop.log_in("Grace")
    async with closed_shop.database.writing() as session:
        grace = (await session.scalars(select(User))).one()
        invited = await invitations.invite(session, grace, "alan@example.com")
    begun, go_on = threading.Semaphore(0), threading.Semaphore(0)

    def slow(*_: object) -> bytes:
        begun.release()
        go_on.acquire(timeout=30)
        return b""

    monkeypatch.setattr(passwords, "_scrypt", slow)
    alan = {"name": "Alan", "password": PASSWORD}
    link = f"/invitations/{invited.token}"
    for path, as_json, as_form in (("/users", ADA, None), ("/sessions", ADA, None), (link, None, alan)):
        answer = asyncio.create_task(closed_shop.http.post(path, json=as_json, data=as_form))
        assert await asyncio.to_thread(begun.acquire, timeout=30)
        async with closed_shop.database.writing() as session:
            session.add(LogInAttempt(email="grace@example.com"))
        assert (await closed_shop.http.get("/healthz")).status_code == httpx.codes.OK
        go_on.release()
        assert (await answer).is_success


async def test_logging_out(closed_shop: Shop) -> None:
    """The token is worth nothing from then on."""
    await closed_shop.log_in()
    assert (await closed_shop.http.delete("/sessions")).status_code == httpx.codes.NO_CONTENT
    assert (await closed_shop.http.get("/orders")).status_code == httpx.codes.UNAUTHORIZED


async def test_health(closed_shop: Shop) -> None:
    """Alive, and ready while the database answers."""
    assert (await closed_shop.http.get("/healthz")).json() == {"status": "alive"}
    assert (await closed_shop.http.get("/readyz")).json() == {"status": "ready"}
