"""Mails through a queue and a worker, to a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import pytest

from corral import (
    Client,
    Context,
    FailureKind,
    InvalidOption,
    Job,
    JobFailed,
    JobHandle,
    RateLimit,
    Unrecoverable,
    Worker,
)
from corral.contracts.redaction import redacted_job
from corral.tasks.email import Email, EmailTasks, Mailer, PasswordReset, Sent, Welcome
from tests.tasks.email.mail_server import Mails


@pytest.fixture
def mailer(mails: Mails) -> Mailer:
    """A mailer to the test's server."""
    return Mailer(
        mails.smtp, sender="The Shöp <post@shop.example>", per_domain={"slow.example": RateLimit(1, per=3600)}
    )


@pytest.fixture
async def _worker(client: Client, mailer: Mailer) -> AsyncIterator[Worker]:
    async with Worker(mailer.tasks(), client=client) as worker:
        yield worker


async def stored(client: Client, handle: JobHandle[Sent]) -> Job:
    """The job as it is kept."""
    job = await client.queue("email").get(handle.id)
    assert job
    return job


async def failed(client: Client, handle: JobHandle[Sent]) -> Job:
    """The job, once it has failed for good."""
    with pytest.raises(JobFailed):
        await handle.result(timeout=10)
    return await stored(client, handle)


def hello(to: str | list[str] = "ada@example.org") -> Email:
    """A mail."""
    return Email(to=to, subject="Ünï", body="Hello", html="<p>Hello</p>", reply_to="help@shop.example")


@pytest.mark.usefixtures("_worker")
async def test_one_line_sends_a_mail(client: Client, mails: Mails, mailer: Mailer) -> None:
    """It arrives with text and HTML, from the sender, and with an id made from its job."""
    handle = await EmailTasks.send.enqueue(client, hello(), delay=0.01, priority=1)
    sent = await handle.result(timeout=10)
    ((recipients, message),) = mails.got
    assert recipients == ["ada@example.org"]
    assert (message["From"], message["To"]) == ("The Shöp <post@shop.example>", "ada@example.org")
    assert (message["Subject"], message["Reply-To"]) == ("Ünï", "help@shop.example")
    assert (
        message["Message-ID"]
        == sent.message_id
        == mailer.message_id("email", handle.id, (await stored(client, handle)).timestamp)
    )
    parts = [part.get_content() for part in message.iter_parts()]
    assert parts == ["Hello\n", "<p>Hello</p>\n"]


async def test_one_is_the_most_urgent(client: Client, mails: Mails, mailer: Mailer) -> None:
    """Mails have a priority unless they are given one, so that 1 overtakes those that wait."""
    await EmailTasks.send.enqueue(client, hello("first@example.org"))
    await EmailTasks.send.enqueue(client, hello("urgent@example.org"), priority=1)
    last = await EmailTasks.send.enqueue(client, hello("last@example.org"))
    async with Worker(mailer.tasks(), client=client, concurrency=1):
        await last.result(timeout=10)
    assert [recipients[0] for recipients, _ in mails.got] == [
        "urgent@example.org",
        "first@example.org",
        "last@example.org",
    ]


@pytest.mark.usefixtures("_worker")
async def test_a_template(client: Client, mails: Mails) -> None:
    """A payload is turned into words, and the link arrives; as operators see the job, it does not have it."""
    payload = PasswordReset(to="ada@example.org", name="Ada", link="https://shop.example/reset/TOKEN")
    handle = await EmailTasks.password_reset.enqueue(client, payload)
    await handle.result(timeout=10)
    ((_, message),) = mails.got
    assert message["Subject"] == "Choose a new password"
    assert "https://shop.example/reset/TOKEN" in next(iter(message.iter_parts())).get_content()
    job = await stored(client, handle)
    assert "TOKEN" in str(job.data)
    assert "TOKEN" not in str(redacted_job(job, EmailTasks.password_reset.spec).data)


@pytest.mark.usefixtures("_worker")
async def test_a_permanent_reply_fails_at_once(client: Client, mails: Mails) -> None:
    """A 5xx fails the job for good after one attempt, with the reply in the reason."""
    mails.replies["ada@example.org"] = "550 no such box"
    job = await failed(client, await EmailTasks.send.enqueue(client, hello()))
    assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)
    assert "550 no such box" in str(job.failed_reason)


@pytest.mark.usefixtures("_worker")
async def test_a_transient_reply_is_tried_again(client: Client, mails: Mails) -> None:
    """A 4xx spends an attempt; the next one is the same mail, by its id."""
    mails.data = "451 busy"
    async with client.queue("email").events() as events:
        handle = await EmailTasks.send.enqueue(client, hello(), backoff=0.01, attempts=50)
        async for event in events:
            if event.name == "delayed":
                mails.data = "250 taken"
                break
    assert (await handle.result(timeout=10)).message_id == mails.got[0][1]["Message-ID"]
    job = await stored(client, handle)
    assert job.attempts_made >= 2


@pytest.mark.usefixtures("_worker")
async def test_a_partly_taken_mail_is_sent(client: Client, mails: Mails) -> None:
    """Recipients that were refused are in the result: another attempt would send it twice to the others."""
    mails.replies["gone@example.org"] = "550 no such box"
    handle = await EmailTasks.send.enqueue(client, hello(["ada@example.org", "gone@example.org"]))
    assert (await handle.result(timeout=10)).refused == {"gone@example.org": "550 no such box"}


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(
    ("second", "refused"), [("250 taken", {}), ("550 no", {"bob@example.org": "550 no"})]
)
async def test_who_was_put_off_gets_it_later(
    client: Client, mails: Mails, second: str, refused: dict[str, str]
) -> None:
    """Another attempt sends to those alone whom the server asked to wait, the same mail: nobody gets it twice."""
    mails.replies["bob@example.org"] = "450 later"
    async with client.queue("email").events() as events:
        email = hello(["ada@example.org", "bob@example.org"])
        handle = await EmailTasks.send.enqueue(client, email, backoff=0.01, attempts=50)
        async for event in events:
            if event.name == "delayed":
                mails.replies["bob@example.org"] = second
                break
    assert (await handle.result(timeout=10)).refused == refused
    assert [who for who, _ in mails.got] == [["ada@example.org"]] + [["bob@example.org"]] * (not refused)
    assert len({(message["Message-ID"], message["To"]) for _, message in mails.got}) == 1


@pytest.mark.usefixtures("_worker")
async def test_a_subject_that_is_too_long_is_permanent(client: Client) -> None:
    """What a template makes of a payload is checked as if it had been given."""
    payload = Welcome(to="ada@example.org", name="a" * 400, product="b" * 400, link="https://shop.example")
    job = await failed(client, await EmailTasks.welcome.enqueue(client, payload))
    assert (job.failure_kind, job.attempts_made) == (FailureKind.PERMANENT, 1)


async def test_domains_of_another_script(client: Client, mails: Mails) -> None:
    """They are encoded wherever a server sees them, and named in the result as they were given."""
    mails.replies["bob@xn--fa-hia.example"] = "550 no such box"
    mailer = Mailer(mails.smtp, sender="Post <post@münchen.example>")
    email = Email(
        to=["ada@例え.example", "bob@faß.example"], subject="x", body="y", reply_to="help@MÜNCHEN.example"
    )
    async with Worker(mailer.tasks(), client=client):
        sent = await (await EmailTasks.send.enqueue(client, email)).result(timeout=10)
    ((recipients, message),) = mails.got
    assert recipients == ["ada@xn--r8jz45g.example"]
    assert message["From"] == "Post <post@xn--mnchen-3ya.example>"
    assert message["Reply-To"] == "help@xn--mnchen-3ya.example"
    assert message["To"] == "ada@xn--r8jz45g.example, bob@xn--fa-hia.example"
    assert sent.message_id.endswith("@xn--mnchen-3ya.example>")
    assert sent.refused == {"bob@faß.example": "550 no such box"}


@pytest.mark.usefixtures("_worker")
async def test_a_slow_domain_is_spared(client: Client, mails: Mails) -> None:
    """The second mail to a domain with a limit of one waits, no attempt spent; others pass it."""
    first, second, other = [
        await EmailTasks.send.enqueue(client, hello(f"{name}.example"))
        for name in ("a@slow", "b@slow", "c@quick")
    ]
    await first.result(timeout=10)
    await other.result(timeout=10)
    job = await stored(client, second)
    assert (job.attempts_made, await second.state()) == (0, "delayed")


@pytest.mark.parametrize(
    ("job_id", "wanted"),
    [
        ("invite:7", None),
        ("a>\r\nBcc: x@y", None),
        ("ü", None),
        ("order-7", "<email.order-7.20261128093000000000@shop.example>"),
    ],
)
def test_message_ids(mailer: Mailer, job_id: str, wanted: str | None) -> None:
    """Whatever the id of a job is, the `Message-ID` is a valid one, and always the same."""
    born = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
    made = mailer.message_id("email", job_id, born)
    assert made == (wanted or mailer.message_id("email", job_id, born))
    assert made.isascii()
    assert len(made.split()) == 1
    assert made.count("@") == 1
    assert made != mailer.message_id("email", job_id + "x", born)
    assert made != mailer.message_id("email", job_id, born + timedelta(milliseconds=1))


@pytest.mark.usefixtures("_worker")
async def test_an_id_that_is_used_again_is_another_mail(client: Client, mails: Mails) -> None:
    """What was sent under an id does not keep the next job of that id from being sent, nor has its `Message-ID`."""
    for _ in range(2):
        email = hello(["ada@example.org", "bob@example.org"])
        handle = await EmailTasks.send.enqueue(client, email, job_id="digest")
        await handle.result(timeout=10)
        await handle.remove()
    assert len({message["Message-ID"] for _, message in mails.got}) == len(mails.got) == 2


ENCODED = "=?utf-8?q?=0D=0ABcc:_x=40y.example=0D=0A=0D=0A=3Ch1=3E?="
"""What is decoded to a line break, another header and a body."""


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ("send", {"subject": f"Hello {ENCODED}"}),
        ("send", {"to": "=?utf-8?q?=0D=0ABcc=3Ax=40y.co?=@example.org"}),
        ("send", {"reply_to": "=?utf-8?q?=0D=0ABcc=3Ax=40y.co?=@example.org"}),
        ("welcome", {"name": ENCODED}),
    ],
)
async def test_encoded_words_are_refused(
    client: Client, mails: Mails, task: str, changes: dict[str, str]
) -> None:
    """Python decodes them while it writes a header. Nothing is sent, whoever has enqueued it, and the reason says what
    to give instead."""
    payload = {"to": "ada@example.org", "subject": "x", "body": "y"}
    payload |= {"name": "Ada", "product": "Shop", "link": "https://shop.example/"}
    handle = await client.queue("email").enqueue(f"email.{task}", payload | changes)
    with pytest.raises(JobFailed, match="give the text itself, not an encoded word"):
        await handle.result(timeout=10)
    assert mails.got == []


@pytest.mark.usefixtures("_worker")
@pytest.mark.parametrize(
    "subject", ["a = ?b?=", "?=", "=\u200b?utf-8?q?=0D=0A?=", "\u00a0Ü=0D=0ABcc: x", "é" * 500, "a, " * 166]
)
async def test_a_subject_is_one_header(client: Client, mails: Mails, subject: str) -> None:
    """Whatever stands in it arrives, and begins no other header on the wire."""
    email = Email(to="ada@example.org", subject=subject, body="y", reply_to="help@shop.example")
    await (await EmailTasks.send.enqueue(client, email)).result(timeout=10)
    head, body = mails.raw[0].split(b"\r\n\r\n", 1)
    names = [line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] != b" "]
    assert sorted(names) == [
        "Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "MIME-Version", "Message-ID",
        "Reply-To", "Subject", "To",
    ]  # fmt: skip
    assert body == b"y\r\n"
    assert mails.got[0][1]["Subject"].rstrip() == subject.rstrip()


async def test_no_header_holds_a_line_break(mailer: Mailer, mails: Mails) -> None:
    """Not even that of a payload which nobody has checked."""
    email = Email.model_construct(to="ada@example.org", subject=ENCODED, body="y")
    with pytest.raises(Unrecoverable, match="Subject would not be one line"):
        await mailer.send(email, cast("Context", SimpleNamespace(queue="email", job_id="1", timestamp=None)))
    assert mails.raw == []


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "Shop",
        "Shop <post>",
        "<@shop.example>",
        "a@\u0300ü.example",
        "a@x.example, b@y.example",
        "Group: a@x.example;",
        "Shop\r\nBcc: x <post@shop.example>",
        "=?utf-8?q?=0D=0ABcc:_x?= <post@shop.example>",
    ],
)
def test_a_sender_is_an_address(mails: Mails, sender: str) -> None:
    """What is none, or more than one, is told when the mailer is made."""
    with pytest.raises(InvalidOption):
        Mailer(mails.smtp, sender=sender)
