"""Invitations: one mail for one invitation, and another one for each time that somebody asks for it."""

from __future__ import annotations

import asyncio
import re

import httpx

from at_work import PASSWORD, Shop
from outside.mail import MailServer

ALAN = {"email": "alan@example.com"}


def _invitations(mails: MailServer) -> int:
    return sum(mail.recipient == ALAN["email"] for mail in mails.mails)


async def test_inviting_twice_is_one_mail(shop: Shop, mails: MailServer) -> None:
    """The id of the job follows from the invitation: whoever clicks twice has made one job."""
    await shop.log_in()
    first, second = await asyncio.gather(*(shop.http.post("/invitations", json=ALAN) for _ in range(2)))
    assert first.json() == second.json()
    job = await shop.ended(first)
    assert job.id == f"invite-email:{first.json()['id']}"
    await shop.ended(second)
    assert _invitations(mails) == 1


async def test_asking_for_it_again_is_another_mail(shop: Shop, mails: MailServer) -> None:
    """A mail that is wanted again is another job: its id has the count."""
    await shop.log_in()
    invited = await shop.http.post("/invitations", json=ALAN)
    await shop.ended(invited)
    again = await shop.http.post(f"/invitations/{invited.json()['id']}/resend")
    assert (await shop.ended(again)).id == f"invite-email:{invited.json()['id']}:2"
    assert _invitations(mails) == 2


async def test_accepting(shop: Shop, mails: MailServer) -> None:
    """The link of the mail makes a user, once."""
    await shop.log_in()
    await shop.ended(await shop.http.post("/invitations", json=ALAN))
    mail = next(mail for mail in mails.mails if mail.recipient == ALAN["email"])
    link = re.search(r"/invitations/(\w+)", mail.text)
    assert link is not None
    accept = f"/invitations/{link[1]}/acceptance"
    alan = {"name": "Alan", "password": PASSWORD}
    assert (await shop.http.post(accept, json=alan)).status_code == httpx.codes.CREATED
    assert (await shop.http.post(accept, json=alan)).status_code == httpx.codes.NOT_FOUND
    assert (await shop.http.post("/sessions", json={**alan, **ALAN})).status_code == httpx.codes.CREATED


async def test_the_link_is_shown_to_nobody(closed_shop: Shop) -> None:
    """The link is worth an account: the job has it, and no operator sees it (`Secret()` in the payload's type)."""
    await closed_shop.log_in()
    invited = await closed_shop.http.post("/invitations", json=ALAN)
    await closed_shop.relay.drain()
    token = await closed_shop.operator()
    path = f"/api/v1/queues/email/jobs/invite-email:{invited.json()['id']}"
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
