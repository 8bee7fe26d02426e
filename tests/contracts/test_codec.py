"""Payloads and results as strict JSON: validated at both ends, whatever their type."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, make_dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Json, computed_field
from typing_extensions import TypedDict

from corral.contracts.codec import JSON_CODEC, Codec, TypeNotReady
from corral.errors import InvalidPayload, InvalidResult, InvalidTask
from tests.contracts.models import Camel, Invite, Receipt, Reset, Strict

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


class Page(TypedDict):
    """A TypedDict."""

    title: str
    scores: list[float]


@dataclass
class Measured:
    """Floats, open values and options, where a NaN may hide."""

    value: float
    extra: Any = None
    maybe: float | None = None


class Open(BaseModel):
    """A model that takes more than it names."""

    model_config = ConfigDict(extra="allow")


class Derived(BaseModel):
    """A model whose dump has more than it takes, unless asked for a round trip."""

    model_config = ConfigDict(extra="forbid")

    first: str
    document: Json[list[int]]

    @computed_field
    def upper(self) -> str:
        """Derive a value."""
        return self.first.upper()


@dataclass
class Rich:
    """Types that JSON has not."""

    at: datetime
    id: UUID
    tags: set[str]
    data: bytes


def paths(error: InvalidPayload) -> list[str]:
    """Return where the problems are."""
    return [problem.path for problem in error.problems]


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Invite, Invite(invitation_id=1, to_email="a@b.org")),
        (Reset, Reset(5)),
        (Page, {"title": "x", "scores": [1.5]}),
        (list[int], [1, 2]),
        (dict[str, Reset], {"a": Reset(1)}),
        (Reset | None, None),
        (Camel, Camel(userId=5)),
        (Derived, Derived(first="a", document="[1]")),  # type: ignore[arg-type]
        (Rich, Rich(datetime(2030, 1, 1, tzinfo=UTC), UUID(int=5), {"a"}, b"x")),
        (Measured, Measured(1.5, {"NaN": "Infinity"}, None)),
        (int, 7),
        (Any, {"a": [1, None]}),
    ],
    ids=str,
)
def test_values_survive(type_: Any, value: object) -> None:
    """Models, dataclasses, TypedDicts and plain types come back equal."""
    codec = Codec.of(type_)
    assert codec.decode(codec.encode(value)) == value
    assert codec.decode(codec.encode(value).decode()) == value


@given(PLAIN)
def test_plain_json_survives(value: object) -> None:
    """The codec for undeclared types gives back any JSON value."""
    assert JSON_CODEC.decode(JSON_CODEC.encode(value)) == value


@given(st.integers() | st.text(), st.integers() | st.text() | st.none())
def test_what_is_stored_can_be_read(user_id: object, note: object) -> None:
    """A dataclass with wrong fields is refused at enqueue, or was read as its type says: never stored unreadable."""
    codec = Codec.of(Reset)
    try:
        text = codec.encode(Reset(user_id, note))  # type: ignore[arg-type]
    except InvalidPayload:
        return
    assert isinstance(codec.decode(text).user_id, int)


def test_the_bytes_are_compact_utf8() -> None:
    """No white space and no escapes where none is needed."""
    assert Codec.of(Reset).encode(Reset(1, "grün")) == '{"user_id":1,"note":"grün"}'.encode()


def test_aliases_are_the_names_on_the_wire() -> None:
    """A model with aliases for Node is written and read by them."""
    assert Codec.of(Camel).encode(Camel(userId=5)) == b'{"userId":5}'


def test_a_wrong_field_is_named() -> None:
    """The error says where, also in a dataclass that was made with it."""
    with pytest.raises(InvalidPayload) as caught:
        Codec.of(Reset, task="email.reset").encode(Reset("five"))  # type: ignore[arg-type]
    assert caught.value.task == "email.reset"
    assert paths(caught.value) == ["user_id"]


def test_paths_lead_into_lists_and_objects() -> None:
    """A place is written as in Python and JavaScript."""
    with pytest.raises(InvalidPayload) as caught:
        Codec.of(dict[str, list[Reset]]).decode('{"a":[{"user_id":1},{}]}')
    assert paths(caught.value) == ["a[1].user_id"]


def test_a_model_keeps_its_own_rules() -> None:
    """Strictness and forbidden extras are the model's to say."""
    codec = Codec.of(Strict)
    with pytest.raises(InvalidPayload, match="amount"):
        codec.decode('{"amount":"5"}')
    with pytest.raises(InvalidPayload, match="more"):
        codec.decode('{"amount":5,"more":1}')


@pytest.mark.parametrize(
    ("type_", "value", "path"),
    [
        (Measured, Measured(math.nan), "value"),
        (Measured, Measured(1.0, {"a": [0, math.inf]}), "extra.a[1]"),
        (Measured, Measured(1.0, None, -math.inf), "maybe"),
        (Page, {"title": "x", "scores": [math.nan]}, "scores[0]"),
        (list[float], [1.0, math.nan], "[1]"),
        (Any, {"a": math.nan}, "a"),
        (Open, Open.model_validate({"more": math.nan}), "more"),
        (float, math.inf, ""),
    ],
)
def test_nan_and_infinity_are_refused(type_: Any, value: object, path: str) -> None:
    """JSON has neither, and Pydantic would quietly make them null."""
    with pytest.raises(InvalidPayload, match="not JSON") as caught:
        Codec.of(type_).encode(value)
    assert paths(caught.value) == [path]


@pytest.mark.parametrize(
    "value",
    ["\ud800", {"\ud800": 1}, object(), b"\xff", [lambda: 1]],
    ids=["text", "key", "object", "bytes", "function"],
)
def test_what_json_cannot_say_is_refused(value: object) -> None:
    """Lone surrogates, arbitrary objects, bytes that are no text."""
    with pytest.raises(InvalidPayload):
        JSON_CODEC.encode(value)


def test_depth_is_limited() -> None:
    """What is nested deeper than readers follow is refused at both ends, and so is a circle."""
    deep: list[Any] = []
    for _ in range(230):
        deep = [deep]
    circle: list[Any] = []
    circle.append(circle)
    for value in (deep, circle):
        with pytest.raises(InvalidPayload):
            JSON_CODEC.encode(value)
    with pytest.raises(InvalidPayload):
        JSON_CODEC.decode("[" * 5000 + "]" * 5000)


@pytest.mark.parametrize(
    "text",
    ["", "nonsense", '{"user_id":1', '{"user_id":1,"user_id":2}', '{"user_id":1,"note":NaN}', "NaN",
     '{"user_id":1,"more":{"a":1,"a":1}}', '{"user_id":1,"more":Infinity}', b'{"user_id":1,"note":"\xff"}'],
)  # fmt: skip
def test_stored_text_that_is_not_strict_json_is_refused(text: str | bytes) -> None:
    """Bad syntax, repeated keys and constants, also inside what the type ignores."""
    with pytest.raises(InvalidPayload):
        Codec.of(Reset).decode(text)


def test_a_repeated_key_is_found_beside_a_missing_one() -> None:
    """Counting keys does not mistake a repetition for the key that may be left out."""
    with pytest.raises(InvalidPayload, match="twice"):
        Codec.of(make_dataclass("Two", [("a", int), ("b", int, 0)])).decode('{"a":1,"a":2}')


def test_colons_in_text_do_not_disturb() -> None:
    """Only keys are counted in the end."""
    value = Reset(1, "at 10:30, see https://example.org")
    assert Codec.of(Reset).decode(Codec.of(Reset).encode(value)) == value


@pytest.mark.parametrize("text", ["{}", "null", b"{}"])
def test_an_absent_payload_is_an_empty_object(text: str | bytes) -> None:
    """BullMQ stores ``{}`` for a job without data: written so, and read from either form."""
    codec = Codec.of(None)
    assert codec.encode(None) == b"{}"
    assert codec.decode(text) is None


@pytest.mark.parametrize("first", ["encode", "decode"])
def test_an_absent_payload_resolved_late(first: str) -> None:
    """The same when the type becomes known only with the first job."""
    codec: Codec[None] = Codec(lambda: None)
    used: object = codec.encode(None) if first == "encode" else codec.decode(b"{}")
    assert used in (b"{}", None)


def test_an_absent_result_is_null() -> None:
    """An undefined return value is stored as null."""
    assert Codec.of(None, role="result").encode(None) == b"null"


def test_a_wrong_result_has_an_error_of_its_own() -> None:
    """What a handler returned is not what its caller sent."""
    codec = Codec.of(Receipt, task="email.send", role="result")
    with pytest.raises(InvalidResult, match="message_id") as caught:
        codec.encode({"message": 1})
    assert caught.value.task == "email.send"


class _NoJson:
    """A class that Pydantic knows nothing of."""


def test_a_type_without_json_is_refused_when_built() -> None:
    """The earliest moment is the class, not the first job."""
    with pytest.raises(InvalidTask, match="_NoJson has no JSON form"):
        Codec.of(_NoJson, task="email.send")


def test_a_type_may_come_later() -> None:
    """A codec whose type is not there yet is built by its first use."""
    ready: list[Any] = []

    def resolve() -> Any:
        if not ready:
            raise TypeNotReady("name 'Later' is not defined")
        return ready[0]

    codec: Codec[Any] = Codec(resolve, task="email.send")
    with pytest.raises(InvalidTask, match="TYPE_CHECKING"):
        codec.encode(1)
    with pytest.raises(InvalidTask, match="'Later' is not defined"):
        codec.decode("1")
    ready.append(int)
    assert codec.decode("1") == 1
    assert codec.adapter.json_schema() == {"type": "integer"}


def test_a_model_that_is_not_complete_is_not_ready() -> None:
    """A model with a field whose type is missing cannot be built yet."""
    codec: Codec[Any] = Codec(lambda: Unfinished)
    with pytest.raises(TypeNotReady):
        codec.build()


class Unfinished(BaseModel):
    """A model that never becomes complete."""

    field: Missing  # type: ignore[name-defined]  # noqa: F821 # pyright: ignore[reportUndefinedVariable]


def test_json_is_what_json_says() -> None:
    """Python's own reader agrees with what is stored."""
    value = {"a": [1, 2.5, None, True, "ü"]}
    assert json.loads(JSON_CODEC.encode(value)) == value
