"""Texts that go into a database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.errors import InvalidOption
from corral.store.texts import label, legible, storable, text_fault


@given(st.text(st.characters()), st.integers(1, 50))
def test_what_is_legible_can_be_stored(text: str, most: int) -> None:
    """Any text can be made storable and short enough, and one that is both stays as it is."""
    made = legible(text, most)
    assert len(made) <= most
    assert storable(made)
    if storable(text) and len(text) <= most:
        assert made == text


@pytest.mark.parametrize(
    ("value", "said"), [("a\0", "NUL"), ("\ud800", "Unicode"), ("é" * 6, "12 bytes"), (7, "text")]
)
def test_why_a_text_cannot_be_stored(value: object, said: str) -> None:
    """The reason is in words; bytes are counted, not characters."""
    assert said in str(text_fault(value, 11))
    assert text_fault("é" * 5, 11) is None


def test_a_label_is_not_empty() -> None:
    """A name for people has something to read."""
    assert label("name", "ci") == "ci"
    for wrong in ("", " \t", "x" * 201):
        with pytest.raises(InvalidOption):
            label("name", wrong)
