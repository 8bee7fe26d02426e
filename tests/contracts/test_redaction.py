"""What is shown of payloads: everything but secrets, marked by a type, known by their names, or by their look."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from corral import Job, Queue, Secret
from corral.contracts.redaction import is_redacted, redacted, redacted_job, restored
from corral.contracts.secret import MASK


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
    assert redacted([VALUE, None, 1], list[Node | None]) == [SHOWN, None, 1]


@pytest.mark.parametrize(
    "value", [None, 1, [], [VALUE], {"below": 3}, {"below": {"hidden": 1}}, {"hidden": ["a"]}]
)
def test_values_of_another_shape(value: Any) -> None:
    """A value that does not validate is masked as far as it has the shape, and breaks nothing."""
    shown = redacted(value, Node)
    if isinstance(value, dict) and "hidden" in value:
        assert shown == {"hidden": MASK}
    else:
        assert shown == value or isinstance(value, list | dict)


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


def test_names_that_are_secrets() -> None:
    """Keys of a dictionary are masked as other texts are, each unlike the others, and put back where they were left."""
    value = {"sk_live_0123456789ab": 1, "sk_live_0123456789cd": 2, f"{MASK} 2": 3, "n": 4}
    shown = redacted(value)
    assert shown == {MASK: 1, f"{MASK} 2": 2, f"{MASK} 2 3": 3, "n": 4}
    assert redacted(shown) == shown
    assert is_redacted(shown)
    assert restored({**shown, "n": 5}, shown, value) == {**value, "n": 5}


def test_hostile_sizes() -> None:
    """A deep value, a wide one and names that get into each other's way cost little."""
    deep: Any = "x"
    for _ in range(500):
        deep = {"below": [deep]}
    names = {f"{MASK} {number}": 1 for number in range(30_000, 60_000)}
    names |= {f"sk_live_{number:020}": 1 for number in range(30_000)}
    began = time.process_time()
    redacted(deep, Node)
    assert len(redacted(names)) == 60_000
    assert time.process_time() - began < 5


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


def test_a_job_of_a_type_that_is_not_there_yet() -> None:
    """As long as a name in its types is missing, a job is masked without them."""
    queue = Queue("q")

    @queue.task
    async def send(node: list[Missing]) -> Missing:  # type: ignore[name-defined]  # noqa: F821
        return node

    job = Job(id="1", queue="q", name="send", data=[{"token": "a", "x": 1}], returnvalue="r")
    shown = redacted_job(job, send.spec)
    assert (shown.data, shown.returnvalue) == ([{"token": MASK, "x": 1}], "r")


def test_a_job_whose_data_is_not_json() -> None:
    """What may be the JSON of a payload with secrets, and cannot be read, is not shown."""
    queue = Queue("q")

    @queue.task
    async def send(node: Node) -> None: ...

    job = Job.from_fields("q", "1", {"name": "send", "data": '{"thePin":"1234",'})
    assert "1234" not in str(redacted_job(job, send.spec).data)


def test_what_is_no_json() -> None:
    """What is no JSON value is masked, since nobody knows what it holds; arrays and keys may be Python's."""
    node = Node.model_validate(VALUE)
    assert redacted({"a": node, "b": [node]}) == {"a": MASK, "b": [MASK]}
    assert redacted((1, "x"), tuple[int, Annotated[str, Secret()]]) == [1, MASK]
    assert redacted({1: "x"}, dict[int, Annotated[str, Secret()]]) == {"1": MASK}


A, B, C = ({"user": name, "password": f"of {name}"} for name in "abc")


@pytest.mark.parametrize(
    ("edit", "wanted"),
    [
        (lambda a, b, c: [a, b, c], [A, B, C]),
        (lambda a, b, c: [c, a, b], [C, A, B]),
        (lambda a, b, c: [b, c], [B, C]),
        (lambda a, b, c: [a, {"user": "new"}, b, c], [A, {"user": "new"}, B, C]),
        (lambda a, b, c: [a, b | {"user": "x"}, c], [A, B | {"user": "x"}, C]),
        (lambda a, b, c: [b | {"user": "x"}, c], [{"user": "x", "password": MASK}, C]),
        (lambda a, b, c: [b | {"user": "x"}, a, c], [{"user": "x", "password": MASK}, A, C]),
    ],
)
def test_a_secret_stays_with_whom_it_belongs_to(edit: Any, wanted: list[Any]) -> None:
    """Elements of a list that were moved, removed or added keep their own secrets. Where it cannot be told whose one
    is, the mask stays, and is refused later: nobody gets another's."""
    shown = redacted([A, B, C])
    assert restored(edit(*shown), shown, [A, B, C]) == wanted
