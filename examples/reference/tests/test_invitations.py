"""Invitations: one mail for one invitation, and another one for each time that somebody asks for it."""

from __future__ import annotations

import asyncio
import hashlib
import re

import httpx
from sqlalchemy import inspect, select, update

from at_work import PASSWORD, Shop
from outside.mail import MailServer
from shop.models import Invitation, now

ALAN = {"email": "alan@example.com"}
JOINING = {"name": "<b>Alan", "password": PASSWORD}


def _links(mails: MailServer) -> list[str]:
    """What the mails to Alan have to click at, in the order in which they arrived."""
    texts = [mail.text for mail in mails.mails if mail.recipient == ALAN["email"]]
    return [link for text in texts for link in re.findall(r"^http\S+", text, re.MULTILINE)]


async def test_inviting_twice_is_one_mail(shop: Shop, mails: MailServer) -> None:
    """The id of the job follows from the invitation: whoever clicks twice has made one job."""
    await shop.log_in()
    first, second = await asyncio.gather(*(shop.http.post("/invitations", json=ALAN) for _ in range(2)))
    assert first.json() == second.json()
    job = await shop.ended(first)
    assert job.id == f"invite-email:{first.json()['id']}:1"
    await shop.ended(second)
    assert len(_links(mails)) == 1


async def test_asking_for_it_again_is_another_mail(shop: Shop, mails: MailServer) -> None:
    """A mail that is wanted again is another job: its id has the count. The link of the last mail is the one."""
    await shop.log_in()
    invited = await shop.http.post("/invitations", json=ALAN)
    await shop.ended(invited)
    again = await shop.http.post(f"/invitations/{invited.json()['id']}/resend")
    assert (await shop.ended(again)).id == f"invite-email:{invited.json()['id']}:2"
    old, new = _links(mails)
    assert (await shop.http.get(old)).status_code == httpx.codes.NOT_FOUND
    assert (await shop.http.get(new)).status_code == httpx.codes.OK


async def test_following_the_link(shop: Shop, mails: MailServer) -> None:
    """It leads to a page whose form makes a user, once. To look at the page, as mail scanners do, accepts nothing."""
    await shop.log_in()
    await shop.ended(await shop.http.post("/invitations", json=ALAN))
    (link,) = _links(mails)
    await shop.http.get(link)
    page = await shop.http.get(link)
    assert ALAN["email"] in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert set(re.findall(r'name="(\w+)"', page.text)) == JOINING.keys()
    joined = await shop.http.post(link, data=JOINING)
    assert (joined.status_code, "<b>Alan" in joined.text) == (httpx.codes.CREATED, False)
    assert (await shop.http.post(link, data=JOINING)).status_code == httpx.codes.NOT_FOUND
    assert (await shop.http.post("/sessions", json={**JOINING, **ALAN})).status_code == httpx.codes.CREATED
    assert (await shop.http.post("/invitations", json=ALAN)).status_code == httpx.codes.CONFLICT


async def test_an_invitation_that_has_expired(shop: Shop, mails: MailServer) -> None:
    """To invite somebody again who was invited long ago is a new link and one new mail, however often it is sent."""
    await shop.log_in()
    await shop.ended(await shop.http.post("/invitations", json=ALAN))
    async with shop.database.writing() as session:
        await session.execute(update(Invitation).values(expires_at=now()))
    again = await asyncio.gather(*(shop.http.post("/invitations", json=ALAN) for _ in range(3)))
    assert len({answer.text for answer in again}) == 1
    for answer in again:
        await shop.ended(answer)
    old, new = _links(mails)
    assert (await shop.http.post(old, data=JOINING)).status_code == httpx.codes.NOT_FOUND
    assert (await shop.http.post(new, data=JOINING)).status_code == httpx.codes.CREATED


async def test_the_table_opens_nothing(shop: Shop, mails: MailServer) -> None:
    """Of the link there is only a hash: who reads the table can accept nothing."""
    await shop.log_in()
    await shop.ended(await shop.http.post("/invitations", json=ALAN))
    token = _links(mails)[0].rpartition("/")[2]
    async with shop.database.reading() as session:
        (kept,) = (await session.execute(select(*inspect(Invitation).columns))).mappings()
    assert token not in map(str, kept.values())
    assert kept["digest"] == hashlib.sha256(token.encode()).hexdigest()
    assert (await shop.http.get(f"/invitations/{kept['digest']}")).status_code == httpx.codes.NOT_FOUND


async def test_the_link_is_shown_to_nobody(closed_shop: Shop) -> None:
    """The link is worth an account: the job has it, and no operator sees it (`Secret()` in the payload's type)."""
    await closed_shop.log_in()
    invited = await closed_shop.http.post("/invitations", json=ALAN)
    await closed_shop.relay.drain()
    token = await closed_shop.operator()
    path = f"/api/v1/queues/email/jobs/invite-email:{invited.json()['id']}:1"
    shown = await closed_shop.http.get(path, headers={"Authorization": f"Bearer {token}"})
    assert ALAN["email"] in shown.text
    assert "/invitations/" not in shown.text


async def test_of_another_user(closed_shop: Shop) -> None:
    """An invitation belongs to who made it."""
    await closed_shop.log_in("Ada")
    invited = await closed_shop.http.post("/invitations", json=ALAN)
    await closed_shop.log_in("Grace")
    again = await closed_shop.http.post(f"/invitations/{invited.json()['id']}/resend")
    assert again.status_code == httpx.codes.NOT_FOUND
