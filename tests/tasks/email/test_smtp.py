"""One mail to a real server over TLS, and what its replies mean."""

from __future__ import annotations

import asyncio
import dataclasses
from email.message import EmailMessage
from pathlib import Path

import pytest

from corral.errors import InvalidOption
from corral.tasks.email import Smtp
from corral.tasks.email import smtp as smtp_module
from corral.tasks.errors import MailRefused, MailServerUnavailable
from tests.tasks.email.mail_server import PASSWORD, USER, Mails, serving


def mail() -> EmailMessage:
    """A mail."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@shop.example", "ada@example.org", "Hello"
    message.set_content("Ünï\n.\nend")
    return message


async def send(smtp: Smtp, *recipients: str) -> dict[str, str]:
    """Hand it over."""
    return await smtp.send(mail(), "a@shop.example", [*recipients] or ["ada@example.org"])


@pytest.mark.filterwarnings(
    "ignore:Requiring AUTH"
)  # the server does not see that a wrapped connection has TLS
@pytest.mark.parametrize("wrapped", [False, True], ids=["starttls", "tls"])
async def test_a_mail_arrives_over_tls(tmp_path: Path, wrapped: bool) -> None:
    """With STARTTLS, and with TLS from the first byte; after a login; letter for letter."""
    with serving(tmp_path, wrapped=wrapped) as mails:
        assert await send(mails.smtp) == {}
        ((recipients, message),) = mails.got
        assert (recipients, message.get_content()) == (["ada@example.org"], "Ünï\n.\nend\n")
        assert mails.tls == [True]


async def test_the_certificate_is_checked(mails: Mails) -> None:
    """Of a server whose certificate nobody vouches for nothing is asked, and it gets no password."""
    with pytest.raises(MailServerUnavailable, match="certificate"):
        await send(dataclasses.replace(mails.smtp, ssl_context=None))
    assert mails.got == []


async def test_without_tls_nothing_is_sent(mails: Mails) -> None:
    """A server that wants TLS or a login gets no mail without, and the mails may be tried again."""
    with pytest.raises(MailServerUnavailable):
        await send(dataclasses.replace(mails.smtp, tls="none"))
    with pytest.raises(MailServerUnavailable):  # it answers 530 to the mail: that says nothing about it
        await send(dataclasses.replace(mails.smtp, tls="none", username=None, password=None))
    assert mails.got == []


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
async def test_a_server_that_offers_no_tls_any_more_gets_nothing(tmp_path: Path) -> None:
    """Somebody on the way can leave STARTTLS out of what a server offers: then no login and no mail goes out, and the
    mails may be tried again."""
    with serving(tmp_path, stripped=True) as mails:
        with pytest.raises(MailServerUnavailable, match="STARTTLS"):
            await send(mails.smtp)
        assert mails.heard == []
        await send(dataclasses.replace(mails.smtp, host="127.0.0.1", tls="none"))
        assert mails.heard == ["AUTH", "MAIL"]  # it would have taken both


async def test_a_refused_login_may_be_tried_again(mails: Mails) -> None:
    """It says nothing about the mail: whoever corrects the password finds the mails still there. The reason is what the
    server said."""
    with pytest.raises(MailServerUnavailable) as refused:
        await send(dataclasses.replace(mails.smtp, password="wrong"))
    assert refused.value.cause.startswith("535 5.7.8 ")
    assert "wrong" not in str(refused.value)


@pytest.mark.parametrize(("reply", "is_permanent"), [("550 no such box", True), ("450 later", False)])
async def test_replies_about_a_recipient(mails: Mails, reply: str, is_permanent: bool) -> None:
    """A 5xx is permanent, a 4xx is not; the reply is in the error."""
    mails.replies["ada@example.org"] = reply
    with pytest.raises(MailRefused) as refused:
        await send(mails.smtp)
    assert (refused.value.reply, refused.value.is_permanent) == (reply, is_permanent)


@pytest.mark.parametrize(("reply", "is_permanent"), [("554 spam", True), ("451 busy", False)])
async def test_replies_about_a_mail(mails: Mails, reply: str, is_permanent: bool) -> None:
    """The same of what is said after the mail itself."""
    mails.data = reply
    with pytest.raises(MailRefused) as refused:
        await send(mails.smtp)
    assert (refused.value.reply, refused.value.is_permanent) == (reply, is_permanent)


async def test_some_recipients_are_refused(mails: Mails) -> None:
    """Who is taken gets the mail; who is not is named, with the reply."""
    mails.replies["gone@example.org"] = "550 no such box"
    assert await send(mails.smtp, "ada@example.org", "gone@example.org") == {
        "gone@example.org": "550 no such box"
    }
    assert [recipients for recipients, _ in mails.got] == [["ada@example.org"]]


async def test_one_of_two_may_come_back(mails: Mails) -> None:
    """Where all are refused and one may be tried again, the mail may be."""
    mails.replies |= {"ada@example.org": "550 no such box", "bob@example.org": "450 later"}
    with pytest.raises(MailRefused) as refused:
        await send(mails.smtp, "ada@example.org", "bob@example.org")
    assert not refused.value.is_permanent
    assert refused.value.reply == "ada@example.org: 550 no such box; bob@example.org: 450 later"
    assert refused.value.replies == mails.replies


async def test_a_mail_that_is_taken_is_sent(mails: Mails) -> None:
    """A server that never answers to the end of the conversation is waited for a moment, and not for its whole time."""
    mails.on_quit = lambda: None
    async with asyncio.timeout(30):
        assert await send(dataclasses.replace(mails.smtp, timeout=600)) == {}
    assert len(mails.got) == 1


async def test_who_is_to_stop_does_not_wait(mails: Mails, monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation that is cancelled ends at once, also while its end is waited for."""
    monkeypatch.setattr(smtp_module, "FAREWELL", 600)
    loop, leaving = asyncio.get_running_loop(), asyncio.Event()
    mails.on_quit = lambda: loop.call_soon_threadsafe(leaving.set)
    async with asyncio.timeout(30):
        sending = asyncio.create_task(send(mails.smtp))
        await leaving.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending


async def test_no_server(mails: Mails) -> None:
    """A server that is not there may be tried again, and the error says where it should be."""
    with pytest.raises(MailServerUnavailable, match="localhost:1"):
        await send(dataclasses.replace(mails.smtp, port=1))


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("smtp://mail.example", ("mail.example", 587, None, None, "starttls")),
        (
            "smtps://shop:a%20pass%3Aword%2Fof%40theirs@mail.example",
            ("mail.example", 465, USER, PASSWORD, "tls"),
        ),
        ("smtp://localhost:1025?tls=none", ("localhost", 1025, None, None, "none")),
    ],
)
def test_a_url(url: str, wanted: tuple[object, ...]) -> None:
    """Scheme, login, place and TLS, from a URL or the variable SMTP_URL."""
    for smtp in (Smtp.from_url(url), Smtp.from_url(environment={"SMTP_URL": url})):
        assert (smtp.host, smtp.port, smtp.username, smtp.password, smtp.tls) == wanted
        assert PASSWORD not in repr(smtp)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://x",
        "smtp://",
        "smtp://x?tls=maybe",
        "smtp://x?other=1",
        "smtp://u:hunter2@x?tls=none",
        "smtp://u:12/hunter2@x",
        "smtp://u:hunter2/1@x",
        "smtp://u:hunter2[@x",
    ],
)
def test_a_bad_url(url: str) -> None:
    """What is none, and a password that would go out in the clear; the password is not in the error."""
    with pytest.raises(InvalidOption) as refused:
        Smtp.from_url(url)
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("host", ["", "a..b", "x" * 70 + ".example", "mail.\0x", "mail example"])
def test_a_bad_host(host: str) -> None:
    """A name that no host can have is told when the server is named, and not by the first mail."""
    with pytest.raises(InvalidOption, match="host"):
        Smtp(host=host)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (None, "it is not set: give smtp://"),
        ("localhost:25", "give smtp://"),
        ("smtp://shop:a/b@mail.example", "quote what is special in a password"),
    ],
)
def test_a_bad_url_is_told_what_to_be(url: str | None, words: str) -> None:
    """A variable that is not set, a scheme that is forgotten, an unquoted password: each has its own remedy."""
    with pytest.raises(InvalidOption, match=words):
        Smtp.from_url(url, environment={})
