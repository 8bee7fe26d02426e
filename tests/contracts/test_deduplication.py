"""Deduplication: the modes by name, and what could never work."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from corral.contracts.deduplication import Deduplication
from corral.errors import InvalidOption


def test_the_modes_by_name() -> None:
    """Simple has no ttl, throttle has one, debounce extends and replaces."""
    assert Deduplication.simple("a") == Deduplication("a")
    assert Deduplication.throttle("a", 5) == Deduplication("a", ttl=5)
    assert Deduplication.debounce("a", 5) == Deduplication("a", ttl=5, extend=True, replace=True)


def test_the_ttl_in_milliseconds() -> None:
    """Seconds or a timedelta become the wire's milliseconds."""
    assert Deduplication("a", ttl=timedelta(minutes=1)).ttl_ms == 60_000
    assert Deduplication("a").ttl_ms is None


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"id": ""}, "not empty"),
        ({"id": 5}, "text"),
        ({"id": "x" * 201}, "200 bytes"),
        ({"id": "a\n"}, "control"),
        ({"id": "\ud800"}, "control"),
        ({"id": "a", "ttl": 0}, "longer than 0"),
        ({"id": "a", "ttl": -1}, "negative"),
        ({"id": "a", "extend": True}, "no ttl="),
    ],
)
def test_what_could_never_work_is_refused(arguments: dict[str, Any], why: str) -> None:
    """A bad id, a ttl of nothing, and extending no ttl."""
    with pytest.raises(InvalidOption, match=why):
        Deduplication(**arguments)
