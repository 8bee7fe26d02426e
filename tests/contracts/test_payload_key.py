"""Keys that a task takes from its payload."""

from __future__ import annotations

from typing import Any

import pytest
from typing_extensions import TypedDict

from corral.contracts.codec import JSON_CODEC, Codec
from corral.contracts.payload_key import PayloadKey, check_payload_key, payload_key
from corral.errors import InvalidOption
from tests.contracts.models import Camel, Invite, Reset


def test_of_a_field() -> None:
    """The field as the JSON has it, where every program can read it."""
    assert payload_key("o", "userId", Camel(userId=7), b'{"userId":7}') == "7"
    assert payload_key("o", "name", {"name": "Ada"}, b'{"name":"Ada"}') == "Ada"


def test_of_a_function() -> None:
    """Whatever text or whole number it makes of the payload."""
    assert (
        payload_key("o", lambda invite: invite.to_email.lower(), Invite(invitation_id=1, to_email="A"), b"")
        == "a"
    )
    assert payload_key("o", lambda payload: payload["a"] * 2, {"a": 2**60}, b"") == str(2**61)


@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, "", "x" * 201, "a\nb", "\ud800"])
def test_what_is_no_key(value: Any) -> None:
    """A clear error, before anything is sent."""
    with pytest.raises(InvalidOption, match="the function gives"):
        payload_key("singleton", lambda _: value, None, b"")


@pytest.mark.parametrize("data", [b"{}", b"[1]", b"3", b'{"other":1}', b'{"f":null}'])
def test_a_field_that_is_not_there(data: bytes) -> None:
    """The error names the field."""
    with pytest.raises(InvalidOption, match="field 'f' is NoneType"):
        payload_key("singleton", "f", None, data)


class Shape(TypedDict):
    """A typed dict."""

    width: int


@pytest.mark.parametrize(
    ("type_", "key"),
    [
        (Reset, "user_id"),
        (Camel, "userId"),
        (Shape, "width"),
        (dict[str, int], "anything"),
        (Any, "anything"),
        (Reset | None, "anything"),
        (Reset, lambda _: "x"),
    ],
)
def test_fields_that_may_be(type_: Any, key: PayloadKey) -> None:
    """A declared field, and any name where the type is open."""
    check_payload_key("singleton", key, Codec.of(type_) if type_ is not Any else JSON_CODEC)


@pytest.mark.parametrize(("type_", "key"), [(Reset, "user"), (Camel, "user_id"), (Shape, "with")])
def test_fields_that_cannot_be(type_: Any, key: str) -> None:
    """A misspelt name is an error when the task is made."""
    with pytest.raises(InvalidOption, match="no such field; it has"):
        check_payload_key("singleton", key, Codec.of(type_))
