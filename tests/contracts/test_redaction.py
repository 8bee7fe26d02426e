"""What is shown of payloads: everything but secrets, marked by a type, known by their names, or by their look."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from corral import Job, Queue, Secret
from corral.contracts.redaction import is_redacted, redacted, redacted_job, restored
from corral.contracts.secret import MASK, looks_secret, masked_text


class Login(TypedDict):
    """A typed dictionary."""

    user: str
    code: Annotated[str, Secret()]


@dataclass
class Card:
    """A dataclass."""

    holder: str
    digits: Annotated[str, Secret()]


class Node(BaseModel):
    """A model that holds itself, an alias, and all kinds of containers."""

    name: str = Field(default="", alias="nodeName")
    hidden: Annotated[str | None, Secret()] = None
    below: list[Node] = []
    cards: dict[str, Card] = {}
    login: Login | str = ""
    pin: Annotated[str, Secret()] = Field(default="", alias="thePin")


VALUE = {
    "nodeName": "a",
    "hidden": "h",
    "thePin": "1234",
    "below": [{"nodeName": "b", "hidden": "i", "cards": {"x": {"holder": "Ann", "digits": "1"}}}],
    "login": {"user": "Ann", "code": "9"},
    "big": 2**53 + 1,
}
SHOWN = {
    "nodeName": "a",
    "hidden": MASK,
    "thePin": MASK,
    "below": [{"nodeName": "b", "hidden": MASK, "cards": {"x": {"holder": "Ann", "digits": MASK}}}],
    "login": {"user": "Ann", "code": MASK},
    "big": 2**53 + 1,
}


def test_what_the_type_marks() -> None:
    """Models, dataclasses and typed dictionaries, nested in lists, dictionaries and unions, by the names in JSON."""
    assert redacted(VALUE, Node) == SHOWN
    assert redacted([VALUE, None, "x"], list[Node | None]) == [SHOWN, None, "x"]
    assert redacted("s", Annotated[str, Secret()]) == MASK
    assert redacted("s", Optional[Annotated[str, Secret()]]) == MASK  # noqa: UP045 - checkers


@pytest.mark.parametrize(
    "value", [None, 1, "x", [], [VALUE], {"below": 3}, {"below": {"hidden": 1}}, {"hidden": ["a"]}]
)
def test_values_of_another_shape(value: Any) -> None:
    """A value that does not validate is masked as far as it has the shape, and breaks nothing."""
    shown = redacted(value, Node)
    if isinstance(value, dict) and "hidden" in value:
        assert shown == {"hidden": MASK}
    else:
        assert shown == value or isinstance(value, list | dict)


@pytest.mark.parametrize(
    ("name", "hidden"),
    [
        ("password", True), ("db_password", True), ("API-Key", True), ("access_token", True), ("authToken", True),
        ("clientSecret", True), ("Authorization", True), ("Set-Cookie", True), ("token", True), ("credentials", True),
        ("max_tokens", False), ("tokens", False), ("passport", False), ("name", False), ("author", False),
        ("key", False), ("", False), ("p" * 1000, False),
    ],
)  # fmt: skip
def test_names_of_secrets(name: str, hidden: bool) -> None:
    """Fields are known by their names in jobs of other programs, too; a number of tokens is none."""
    assert looks_secret(name) is hidden
    assert redacted({name: "x"}) == {name: MASK if hidden else "x"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdefgh12345678", f"Authorization: Bearer {MASK}"),
        ("redis://user:hunter2@host:6379/0", f"redis://user:{MASK}@host:6379/0"),
        ("paid with 4111 1111 1111 1111 today", f"paid with {MASK} today"),
        ("order 4111111111111112", "order 4111111111111112"),
        ("at 1767225600000 ms", "at 1767225600000 ms"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", MASK),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", MASK),
        ("sk_live_0123456789abcdef", MASK),
        ("nothing to see, mail ann@example.org", "nothing to see, mail ann@example.org"),
    ],
)
def test_texts_that_look_secret(text: str, shown: str) -> None:
    """Keys, tokens, passwords in URLs and numbers of cards are masked wherever they stand, and nothing else is."""
    assert masked_text(text) == shown
    assert redacted([{"note": text}]) == [{"note": shown}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["hidden", "below", "token", "x"]), inner)
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_redacting_twice_changes_nothing(value: Any) -> None:
    """What is redacted already stays as it is, with a type and without."""
    for type_ in (None, Node, list[Node]):
        once = redacted(value, type_)
        assert redacted(once, type_) == once


@given(JSON)
def test_what_was_not_edited_is_put_back(value: Any) -> None:
    """Saved as it was shown, a payload is what it was; what was edited beside a secret is kept, the secret too."""
    shown = redacted(value, Node)
    assert restored(shown, shown, value) == value
    assert restored({"new": 1, "x": shown}, {"x": shown}, {"x": value}) == {"new": 1, "x": value}


def test_hostile_sizes() -> None:
    """A deep value and a long text cost little."""
    deep: Any = "x"
    for _ in range(500):
        deep = {"below": [deep]}
    began = time.perf_counter()
    redacted(deep, Node)
    for text in (
        "4" * 1_000_000,
        "Bearer " * 150_000,
        "://" * 300_000,
        "-----BEGIN " * 90_000,
        "eyJ" + "a" * 1_000_000,
    ):
        masked_text(text)
    assert time.perf_counter() - began < 5


def test_a_job() -> None:
    """Payload and result by the task's types, the reason and the stack traces by their look."""
    queue = Queue("q")

    @queue.task
    async def send(node: Node) -> Annotated[str, Secret()]:
        return node.name

    job = Job(
        id="1", queue="q", name="send", data=VALUE, returnvalue="r",
        failed_reason="redis://:pw1@h refused", stacktrace=("Bearer abcdefgh12345678",),
    )  # fmt: skip
    shown = redacted_job(job, send.spec)
    assert (shown.data, shown.returnvalue) == (SHOWN, MASK)
    assert "pw1" not in str(shown.failed_reason)
    assert "abcdefgh" not in shown.stacktrace[0]
    assert is_redacted(shown.data)
    assert not is_redacted(job.data)
