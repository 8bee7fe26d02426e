"""From a payload's type to a form, and from the form to a payload."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter

from corral.dashboard.form_values import as_spoken, texts_of, value_of
from corral.dashboard.schema_fields import fields_of


class Colour(Enum):
    """Of a thing."""

    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    """Of a thing."""

    name: str
    size: int = Field(default=1, ge=0, description="In millimetres.")


class Thing(BaseModel):
    """Has a field of every kind."""

    title: str = Field(max_length=80)
    text: str
    number: int
    perhaps: int | None = 3
    needed: float | None
    colour: Colour = Colour.RED
    choice: Literal["a", 1, None] = "a"
    flag: bool
    unsure: bool | None = None
    tags: list[str] = []
    names: list[str] | None = None
    part: Part
    other: Part | None = None
    parts: list[Part] = []
    counts: dict[str, int] = {}
    either: int | str = 3
    at: datetime | None = None
    inner: Thing | None = None


ADAPTER = TypeAdapter(Thing)
FORM = fields_of(ADAPTER.json_schema())
lines = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=20)
parts = st.builds(Part, name=lines, size=st.integers(0, 2**70))
things = st.builds(
    Thing,
    title=lines,
    text=lines,
    number=st.integers(-(2**80), 2**80),
    needed=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    tags=st.lists(lines, max_size=3),
    names=st.none() | st.lists(lines, max_size=2),
    part=parts,
    other=st.none() | parts,
    parts=st.lists(parts, max_size=2),
    counts=st.dictionaries(lines, st.integers(), max_size=2),
    inner=st.none(),
)


def test_kinds() -> None:
    """Each type has its field; what no form can ask for, and what holds itself, is asked for as JSON."""
    assert {field.name: field.kind for field in FORM.fields} == {
        "title": "text", "text": "long", "number": "number", "perhaps": "number", "needed": "number",
        "colour": "choice", "choice": "choice", "flag": "flag", "unsure": "flag", "tags": "list", "names": "list",
        "part": "object", "other": "object", "parts": "list", "counts": "json", "either": "json", "at": "text",
        "inner": "json",
    }  # fmt: skip
    size = next(field for field in FORM.fields if field.name == "part").fields[1]
    assert size.about == "In millimetres. at least 0"


@given(things)
def test_nothing_is_lost(thing: Thing) -> None:
    """A payload that is shown in a form and sent back means the same to its task: integers beyond 2**53, nulls, empty
    texts and empty lists included."""
    payload: Any = ADAPTER.dump_python(thing, mode="json")
    back, problems = value_of(FORM, texts_of(FORM, payload))
    assert problems == {}
    assert ADAPTER.validate_python(back) == thing


def test_the_empty_form() -> None:
    """It has the defaults; what is missing is said at its place, and all else is given."""
    payload, problems = value_of(FORM, texts_of(FORM))
    assert problems == {"/number": "give a value", "/flag": "give a value"}
    assert (payload["perhaps"], payload["colour"], payload["tags"]) == (3, "red", [])


@pytest.mark.parametrize("text", ["1e999999", "0x10", "1_000", "²", "--1", "NaN", "1" * 5000])
def test_what_is_no_number(text: str) -> None:
    """Only JSON's numbers are numbers, and none of them takes long."""
    _, problems = value_of(FORM, {"?": "yes", "=/number": text, "=/flag": "true"})
    assert problems["/number"] == "this is not a number"


@pytest.mark.parametrize(
    "texts",
    [
        {"#/parts": "999999999"},
        {"#/parts": "-1"},
        {"#/parts": "²"},
        {"=/choice": "99"},
        {"=/choice": "-1"},
        {"=/choice": "²"},
        {"=/counts": "[" * 5000},
        {"=/counts": "{"},
        {"=/flag": "maybe"},
        {"?/part": "no"},
    ],
)
def test_fields_that_no_browser_sends(texts: dict[str, str]) -> None:
    """They break nothing, and make no list longer than a form can have."""
    payload, _ = value_of(FORM, texts)
    assert len(payload["parts"]) <= 200


def test_places_are_named_as_errors_name_them() -> None:
    """A pointer is `items[0].name` to a payload's errors; names may have slashes and tildes."""
    assert as_spoken("/items/0/name") == "items[0].name"
    assert as_spoken("/a~1b/c~0d") == "a/b.c~d"
    assert as_spoken("") == ""
