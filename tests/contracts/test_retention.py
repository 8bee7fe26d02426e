"""Which finished jobs are kept, in every form that an option may have."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from corral.contracts.retention import KEEP_ALL, REMOVE, Keep
from corral.errors import InvalidOption


@pytest.mark.parametrize(
    ("value", "keep"),
    [
        (True, REMOVE),
        (False, KEEP_ALL),
        (0, REMOVE),
        (100, Keep(count=100)),
        (timedelta(days=1), Keep(age=timedelta(days=1))),
        (Keep(count=5, age=60), Keep(count=5, age=60)),
        ({"count": 5, "age": 60}, Keep(count=5, age=60)),
        ({"count": 5, "limit": 1000}, Keep(count=5)),
        ({}, KEEP_ALL),
    ],
)
def test_every_form_of_bullmq_and_python(value: Any, keep: Keep) -> None:
    """True removes, False keeps, a number is a count, a timedelta an age, a mapping BullMQ's own form."""
    assert Keep.parse("remove_on_complete", value) == keep


@pytest.mark.parametrize(
    "value", [-1, 1.5, "10", None, {"counts": 5}, {"count": "5"}, {"age": -1}, timedelta(seconds=-1), [5]]
)
def test_other_forms_are_refused_naming_the_option(value: Any) -> None:
    """The error names the option that the user wrote."""
    with pytest.raises(InvalidOption) as caught:
        Keep.parse("remove_on_fail", value)
    assert caught.value.option == "remove_on_fail"


def test_an_age_is_in_whole_seconds_rounded_up() -> None:
    """The wire has seconds; nothing is trimmed sooner than was asked for."""
    assert Keep(age=timedelta(milliseconds=1500)).age_seconds == 2
    assert Keep(count=1).age_seconds is None


def test_an_age_of_zero_is_refused() -> None:
    """BullMQ would read it as no age at all."""
    with pytest.raises(InvalidOption, match="count=0"):
        Keep(age=0)


def test_only_no_limit_at_all_keeps_all() -> None:
    """A count or an age is a limit."""
    assert KEEP_ALL.keeps_all
    assert not Keep(count=5).keeps_all
    assert not Keep(age=5).keeps_all
