"""The demo's services work without any job: called directly, as unit tests of an application do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from PIL import Image

from corral import Context, Unrecoverable
from corral.demo.contract import Cutoff, Order, Person, Resize
from corral.demo.mailer import Mailer
from corral.demo.partner import PartnerApi
from corral.demo.photos import resize_photo
from corral.demo.receivers import mail_server, partner
from corral.demo.sessions import Sessions

ADA = Person(name="Ada", email="ada@example.com")


async def test_mail_is_sent() -> None:
    """A welcome and a reminder arrive at a real mail server."""
    async with mail_server() as server:
        mailer = Mailer("127.0.0.1", server.port)
        delivery = await asyncio.to_thread(mailer.send_welcome, ADA)
        await asyncio.to_thread(mailer.send_reminder, ADA)
    assert delivery.recipient == "ada@example.com"
    assert [mail.subject for mail in server.mails] == ["Welcome, Ada", "Ada, finish your profile"]


def test_ended_sessions_are_deleted(tmp_path: Path) -> None:
    """What ended before the cutoff goes, the rest stays, and a second run finds nothing."""
    sessions, now = Sessions(tmp_path / "db"), datetime.now(UTC)
    sessions.create([now - timedelta(hours=1), now + timedelta(hours=1)])
    first, second = (sessions.delete_expired(Cutoff(before=now)) for _ in range(2))
    assert (first.deleted, first.kept) == (1, 1)
    assert (second.deleted, second.kept) == (0, 1)


def test_photos_are_resized(tmp_path: Path) -> None:
    """The copy has the wanted width and keeps the proportions; nothing unfinished is left."""
    Image.new("RGB", (600, 400), "red").save(tmp_path / "photo.png")
    small = resize_photo(Resize(photo=tmp_path / "photo.png", width=150))
    with Image.open(small.path) as picture:
        assert picture.size == (150, 100)
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".jpg", ".png"]


class FakeContext:
    """As much of a context as the handler uses."""

    attempt, attempts = 1, 5

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def log(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)


async def test_a_partner_on_a_bad_day() -> None:
    """503 is an ordinary error, so the job is tried again; the third answer is 200."""
    api, context = PartnerApi(), FakeContext()
    with partner() as service:
        order = Order(number="1", partner_url=f"{service.url}/orders")
        async with api.connected():
            for _ in range(2):
                with pytest.raises(Exception, match="503") as caught:
                    await api.announce(order, cast("Context", context))
                assert not isinstance(caught.value, Unrecoverable)
            assert (await api.announce(order, cast("Context", context))).status == 200
    assert [call.status for call in service.calls] == [503, 503, 200]
    assert len(context.lines) == 6


async def test_a_partner_that_refuses() -> None:
    """4xx is `Unrecoverable`: nobody is asked twice."""
    api: Any = PartnerApi()
    with partner() as service:
        async with api.connected():
            with pytest.raises(Unrecoverable, match="410 Gone"):
                await api.announce(Order(number="2", partner_url=f"{service.url}/retired"), FakeContext())
