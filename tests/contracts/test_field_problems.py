"""What is wrong in a value is said without the value."""

from __future__ import annotations

import json
import traceback
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from corral import FieldProblem, InvalidPayload, InvalidResult, Secret
from corral.contracts.codec import Codec


def refuse(value: Any) -> Any:
    """Raise an error that quotes the value."""
    raise ValueError(f"bad {value}")


def refuse_in_own_words(value: str) -> str:
    """Raise one with a type of its own."""
    raise PydanticCustomError("bad_pin", "bad {pin}", {"pin": value})


def write(value: str) -> str:
    """Fail to write the value."""
    if value == "hunter2":
        raise ValueError(f"cannot write {value}")
    return value


class Cat(BaseModel):
    """One of two."""

    kind: Literal["cat"]


class Dog(BaseModel):
    """The other one."""

    kind: Literal["dog"]


class Inner(BaseModel):
    """A check that may quote everything in it."""

    a: Annotated[str, Secret()]
    b: Annotated[int, AfterValidator(refuse)] = 0

    @model_validator(mode="after")
    def check(self) -> Inner:
        """Refuse it."""
        raise ValueError(repr(self))


class Account(BaseModel):
    """Checks that quote what they refuse."""

    name: Annotated[str, AfterValidator(refuse)] = ""
    pin: Annotated[str, AfterValidator(refuse), Secret()] = ""
    code: Annotated[str, Secret(), AfterValidator(refuse_in_own_words)] = ""
    password: Annotated[str, AfterValidator(refuse)] = ""
    size: Annotated[str, Secret(), Field(max_length=3)] = ""
    pet: Annotated[Annotated[Cat | Dog, Field(discriminator="kind")], Secret()] | None = None
    below: dict[Annotated[str, Secret()], int] = {}
    inner: Inner | None = None
    either: list[Annotated[str, Secret(), AfterValidator(refuse)] | int] = []


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ({"name": "hunter2"}, "name", "Value error, bad hunter2"),
        ({"pin": "hunter2"}, "pin", "not valid (value_error)"),
        ({"code": "hunter2"}, "code", "not valid (bad_pin)"),
        ({"password": "hunter2"}, "password", "not valid (value_error)"),
        ({"size": "hunter2"}, "size", "String should have at most 3 characters"),
        ({"pet": {"kind": "hunter2"}}, "pet", "not valid (union_tag_invalid)"),
        ({"below": {"hunter2": []}}, "below.•••", "Input should be a valid integer"),
        ({"inner": {"a": "hunter2"}}, "inner", "not valid (value_error)"),
        ({"inner": {"a": "x", "b": 7}}, "inner.b", "Value error, bad 7"),
        ({"either": ["hunter2"]}, "either[0].function-after[refuse(), str]", "not valid (value_error)"),
        ({"pin": 1}, "pin", "Input should be a valid string"),
    ],
)  # fmt: skip
def test_messages(value: Any, path: str, message: str) -> None:
    """The user's own words about a secret are left out, since they may quote it; Pydantic's, and words about what is
    no secret, are not."""
    with pytest.raises(InvalidPayload) as raised:
        Codec.of(Account).decode(json.dumps(value))
    assert FieldProblem(path, message) in raised.value.problems


@pytest.mark.parametrize("role", ["payload", "result"])
def test_no_value_in_a_traceback(role: Literal["payload", "result"]) -> None:
    """The traceback, which is stored with the job and logged, has no values either, secret or not."""
    codec = Codec.of(Account, role=role)
    pin = "2" + "hunter"  # no line of this text has it
    for attempt in (
        lambda: codec.decode(json.dumps({"size": pin})),
        lambda: codec.decode(f'{{"size": "{pin}", "size": ""}}'),
        lambda: codec.decode(f'{{"size": "{pin}"'),
        lambda: codec.encode(Account.model_construct(size=pin)),
    ):
        with pytest.raises((InvalidPayload, InvalidResult)) as raised:
            attempt()
        assert pin not in "".join(traceback.format_exception(raised.value))


def test_what_cannot_be_written() -> None:
    """What a serializer of the user's says is left out when the type has secrets."""

    class Open(BaseModel):
        a: Annotated[str, PlainSerializer(write)]

    class Closed(BaseModel):
        a: Annotated[str, PlainSerializer(write), Secret()]

    with pytest.raises(InvalidPayload, match="cannot write hunter2"):
        Codec.of(Open).encode(Open(a="hunter2"))
    with pytest.raises(InvalidPayload, match="it cannot be written as JSON") as raised:
        Codec.of(Closed).encode(Closed(a="hunter2"))
    assert "cannot write" not in "".join(traceback.format_exception(raised.value))
