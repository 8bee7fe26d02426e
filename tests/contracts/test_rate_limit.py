"""Limits as values: what can be one, and what cannot."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from corral import InvalidOption, RateLimit
from corral.contracts.rate_limit import check_concurrency


@pytest.mark.parametrize(
    ("per", "milliseconds"),
    [(1, 1000), (0.25, 250), (timedelta(minutes=1), 60_000), (0.0005, 1)],
)
def test_a_window_is_seconds_or_a_timedelta(per: Any, milliseconds: int) -> None:
    """In whole milliseconds on the wire, rounded up: a short window is not none."""
    limit = RateLimit(5, per=per)
    assert (limit.max, limit.per_ms) == (5, milliseconds)


@pytest.mark.parametrize("most", [0, -1, 1.5, True, "3", None, 2**31])
def test_a_number_that_cannot_be(most: Any) -> None:
    """A limit that lets nothing start is no limit: that is what pausing is for."""
    with pytest.raises(InvalidOption, match="whole number from 1"):
        RateLimit(most, per=1)


@pytest.mark.parametrize("per", [0, -1, float("nan"), float("inf"), "1 s", None, True, timedelta(0)])
def test_a_window_that_cannot_be(per: Any) -> None:
    """A window has a length."""
    with pytest.raises(InvalidOption, match="per"):
        RateLimit(1, per=per)


def test_concurrency() -> None:
    """A whole number from 1, or None for no limit."""
    for allowed in (None, 1, 500):
        check_concurrency(allowed)
    bad: Any
    for bad in (0, -1, True, 2.0, "2"):
        with pytest.raises(InvalidOption, match="concurrency"):
            check_concurrency(bad)
