"""What is refused where a number, a flag or a text is asked for: the same everywhere, with what to give instead."""

from __future__ import annotations

import math

import pytest

from corral.contracts.arguments import flag, string, whole
from corral.errors import InvalidOption


@pytest.mark.parametrize("value", [-1, True, 1.0, math.nan, "5", None, [1], 2**53, 10**30])
def test_no_whole_number(value: object) -> None:
    """A bool is no number, and neither is what merely looks like one."""
    with pytest.raises(InvalidOption, match="give a whole number from 0"):
        whole("limit", value)


def test_a_whole_number_has_its_bounds() -> None:
    """Both are allowed; without a highest one it is what every client reads as an exact number."""
    assert [whole("n", 1, 1, 3), whole("n", 3, 1, 3), whole("n", 2**53 - 1)] == [1, 3, 2**53 - 1]
    for value in (0, 4):
        with pytest.raises(InvalidOption, match="from 1 to 3"):
            whole("n", value, 1, 3)


@pytest.mark.parametrize("value", [0, 1, "no", None])
def test_no_flag(value: object) -> None:
    """What Python takes for true or false may have been meant otherwise: `force="no"`."""
    with pytest.raises(InvalidOption, match="True or False"):
        flag("force", value)
    assert [flag("force", True), flag("force", False)] == [True, False]


@pytest.mark.parametrize("value", [5, None, b"x", "\ud800"])
def test_no_text(value: object) -> None:
    """Text is what can be stored as such, and may be empty."""
    with pytest.raises(InvalidOption, match="text"):
        string("line", value)
    assert [string("line", ""), string("line", "ü")] == ["", "ü"]
