"""Strict JSON: what every client reads alike."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.strict_json import as_object, has_repeated_keys, non_finite_paths, parse_strict_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_strict_json_is_read(value: object) -> None:
    """Whatever Python writes strictly is read back, with and without white space."""
    for indent in (None, 2):
        text = json.dumps(value, allow_nan=False, indent=indent)
        assert parse_strict_json(text) == value
        assert parse_strict_json(f"\n {text} ".encode()) == value


@pytest.mark.parametrize(
    "text",
    ["", "NaN", "-Infinity", '{"a":[Infinity]}', "{'a':1}", "[1,]", "01", '{"a":1,"a":2}', '{"a":1,"\\u0061":2}',
     '[{"b":{"a":1,"a":1}}]', ' {"a":1,"a":2}', '"\\ud800"', "[" * 1000 + "]" * 1000, "nonsense"],
)  # fmt: skip
def test_what_is_not_strict_json_is_refused(text: str) -> None:
    """Constants that JSON has not, repeated keys however spelt, lone surrogates, excessive depth, bad syntax."""
    with pytest.raises(ValueError):
        parse_strict_json(text)


def test_one_key_in_two_objects_is_no_repetition() -> None:
    """Keys have to differ within an object only."""
    assert not has_repeated_keys(b'[{"a":1},{"a":2,"b":{"a":3}}]')


def test_words_in_text_are_no_constants() -> None:
    """The word NaN in a string is a word."""
    assert parse_strict_json('["NaN","Infinity"]') == ["NaN", "Infinity"]


def test_places_of_what_is_not_finite() -> None:
    """Each NaN and infinity is found, with the path to it."""
    value = {"a": [1.0, math.nan], "b": {"c": math.inf, "d": "text"}, "e": {-math.inf}}
    assert non_finite_paths(value) == ["a[1]", "b.c", "e[0]"]
    assert non_finite_paths(math.nan) == [""]


def test_objects_are_told_from_other_values() -> None:
    """A parsed object or nothing."""
    assert as_object({"a": 1}) == {"a": 1}
    assert as_object([1]) is None
