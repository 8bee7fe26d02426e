"""Templates: Corral's own, and those of a folder in their place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from corral.errors import InvalidOption
from corral.tasks.email import Email, Invitation, Notification, PasswordReset, Templates, Welcome
from corral.tasks.email.contract import FromTemplate
from corral.tasks.errors import TemplateBroken

HOSTILE = '<script>alert(1)</script> "&'
MAILS = [
    Welcome(to="ada@example.org", name=HOSTILE, product="Shop", link="https://shop.example/a?b=1&c=2"),
    Invitation(
        to="ada@example.org", inviter=HOSTILE, organisation="Org", link="https://shop.example/i",
        expires_at=datetime(2026, 12, 1, 9, 30, tzinfo=UTC),
    ),
    PasswordReset(to="ada@example.org", name=HOSTILE, link="https://shop.example/r"),
    Notification(to="ada@example.org", title=HOSTILE, text=HOSTILE),
    Notification(to="ada@example.org", title="Paid", text="Order 17", link="https://shop.example/o/17"),
]  # fmt: skip


@pytest.mark.parametrize("payload", MAILS, ids=lambda payload: type(payload).__name__)
def test_every_mail_has_its_words(payload: FromTemplate) -> None:
    """A subject of one line, a text, and HTML in which nothing of the payload is markup."""
    words = Templates().render(payload)
    assert words.subject
    assert "\n" not in words.subject
    assert "<script>" not in words.html
    assert "<html" in words.html
    link = getattr(payload, "link", None)
    assert link is None or (link in words.text and link.replace("&", "&amp;") in words.html)


def test_a_text_is_no_html() -> None:
    """What stands in the text is what was said, unescaped."""
    words = Templates().render(MAILS[0])
    assert words.subject == f"Welcome to Shop, {HOSTILE}"


def test_a_time_says_its_zone() -> None:
    """An invitation tells until when it is good."""
    assert "1 December 2026, 09:30 UTC" in Templates().render(MAILS[1]).text


def test_a_folder_takes_the_place(tmp_path: Path) -> None:
    """A file of the same name is used instead, with variables of one's own; the others stay Corral's."""
    (tmp_path / "welcome.txt").write_text("Hi {{ name }}\n\nYours, {{ team }}\n")
    templates = Templates(tmp_path, {"team": "the shop"})
    words = templates.render(MAILS[0].model_copy(update={"name": "Ada"}))
    assert (words.subject, words.text) == ("Hi Ada", "Yours, the shop\n")
    assert "Begin" in words.html


@pytest.mark.parametrize(
    ("name", "source", "reason"),
    [
        ("welcome.txt", "Hi {{ nme }}", "nobody gives it nme; there are: link, name, product, to"),
        ("welcome.txt", "Hi {% if %}", "Expected"),
        ("welcome.txt", "{% include 'other.txt' %}", "other.txt"),
        ("welcome.txt", "{% include ['other.txt', 'another.txt'] %}", "another.txt"),
        ("welcome.txt", "{% include 'welcome.txt' %}", "welcome.txt is part of itself"),
        ("welcome.txt", "Hi {{ subject }}", "nobody gives it subject"),
        ("welcome.txt", "{% for one in [1] %}{% endfor %}{{ one }}", "nobody gives it one"),
        ("_button.html", "{% macro button(link, label) %}{{ brnd }}{% endmacro %}", "nobody gives it brnd"),
        ("_button.html", "{% macro button(link, label) %}{{ to }}{% endmacro %}", "nobody gives it to;"),
        ("layout.html", "<p>{{ brnd }}</p>{% block content %}{% endblock %}", "nobody gives it brnd"),
        ("layout.html", "{% block content %}", "endblock"),
    ],
)
def test_a_bad_template_is_told_when_it_is_loaded(
    tmp_path: Path, name: str, source: str, reason: str
) -> None:
    """A misspelt variable, a broken tag, a file that is not there, in a template or in what it extends: an error of the
    program's start, not of the first mail."""
    (tmp_path / name).write_text(source)
    with pytest.raises(TemplateBroken, match=reason):
        Templates(tmp_path)


@pytest.mark.parametrize(
    "source",
    [
        "Hi Ada{% if team is defined %} of {{ team }}{% endif %}",
        "Hi {{ team | default('Ada') }}",
        "Hi Ada{% include 'my_footer.txt' ignore missing %}",
        "{% include ['mine.txt', 'part.txt'] %}",
        "{% from 'macros.txt' import hi with context %}{{ hi() }}",
        "{% extends 'frame.txt' %}{% set a = 'Hi' %}{% block b %}{{ a }} {{ name }}{% endblock %}",
        "{% extends 'frame.txt' %}{% from 'macros.txt' import hi with context %}{% block b %}{{ hi() }}{% endblock %}",
        "{% for who in [name] %}{% include 'row.txt' %}{% endfor %}",
    ],
)
def test_what_a_template_may_do_without(tmp_path: Path, source: str) -> None:
    """A name that it asks for before it uses it, a file that may be missing, a name that it makes itself."""
    for name, text in {
        "part.txt": "Hi {{ name }}",
        "macros.txt": "{% macro hi() %}Hi {{ name }}{% endmacro %}",
        "frame.txt": "{% block b %}{% endblock %}",
        "row.txt": "Hi {{ who }}",
        "welcome.txt": source,
    }.items():
        (tmp_path / name).write_text(text)
    assert Templates(tmp_path).render(MAILS[0].model_copy(update={"name": "Ada"})).subject == "Hi Ada"


def test_a_template_is_utf_8(tmp_path: Path) -> None:
    """What is not is told when it is loaded."""
    (tmp_path / "welcome.txt").write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(TemplateBroken, match="'utf-8' codec"):
        Templates(tmp_path)


def test_a_template_that_fails_on_some_payloads(tmp_path: Path) -> None:
    """What it raises is told as what it is: an error of the template, which no other attempt mends."""
    (tmp_path / "welcome.txt").write_text("Hi {{ 1 / (name | length - 3) }}")
    templates = Templates(tmp_path)
    assert templates.render(MAILS[0].model_copy(update={"name": "Bo"})).subject == "Hi -1.0"
    with pytest.raises(TemplateBroken, match="ZeroDivisionError"):
        templates.render(MAILS[0].model_copy(update={"name": "Ada"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "nobody"},
        {"to": "a@b\nBcc: x@y.example"},
        {"name": "a\r\nBcc: x@y.example"},
        {"name": "a\u2028b"},
        {"name": "Ada =?utf-8?q?=0D=0ABcc:_x=40y.example?="},
        {"to": "=?utf-8?q?=0D=0ABcc=3Ax=40y.example?=@example.org"},
        {"to": "Ada Doe <ada@example.org>"},
        {"link": "javascript:alert(1)"},
    ],
)
def test_a_payload_that_cannot_be_a_mail(changes: dict[str, str]) -> None:
    """No address, or more than one; a name that would begin another header, now or when it is decoded; a link that is
    none: refused when it is enqueued."""
    with pytest.raises(ValidationError):
        Welcome.model_validate(MAILS[0].model_dump() | changes)


def test_a_time_has_a_zone() -> None:
    """Until when an invitation is good cannot be said without."""
    with pytest.raises(ValidationError, match="timezone"):
        Invitation.model_validate(MAILS[1].model_dump() | {"expires_at": "2026-12-01T09:30:00"})


@pytest.mark.parametrize("payload", MAILS[1:3], ids=lambda payload: type(payload).__name__)
def test_an_error_shows_no_secret(payload: FromTemplate) -> None:
    """A link that lets somebody in is not shown by the error which says that it is none."""
    with pytest.raises(ValidationError, match="link") as refused:
        type(payload).model_validate(payload.model_dump() | {"link": "https://shop.example/r?t=TOKEN x"})
    assert "TOKEN" not in str(refused.value)


@pytest.mark.parametrize(
    "changes", [{"body": "x" * 250_001}, {"html": "x" * 250_001}, {"reply_to": "\u00fc@shop.example"}]
)
def test_a_mail_that_cannot_be_sent_well(changes: dict[str, str]) -> None:
    """One that would hold up all others while it is written; answers to an address that not every server takes."""
    with pytest.raises(ValidationError):
        Email.model_validate({"to": "ada@example.org", "subject": "x", "body": "y"} | changes)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Corral's own templates do not stand in for a folder whose name is misspelt."""
    with pytest.raises(InvalidOption, match="there is no such folder"):
        Templates(tmp_path / "tmeplates")
