"""When a delivery is tried again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.errors import InvalidOption
from corral.tasks.errors import DeliveryFailed
from corral.tasks.webhooks import THREE_DAYS, RetrySchedule


def refused(retry_after: float | None = None) -> DeliveryFailed:
    """A 503."""
    return DeliveryFailed("https://example.org/", "it answered 503", status=503, retry_after=retry_after)


def test_the_default_takes_three_days() -> None:
    """Ten attempts; the last one is a little over three days after the first."""
    waits = [
        RetrySchedule(THREE_DAYS.delays, jitter=0)(made, refused()) for made in range(1, THREE_DAYS.attempts)
    ]
    assert (THREE_DAYS.attempts, waits[:3]) == (10, [5, 300, 1800])
    assert 3 <= sum(waits) / 86_400 <= 3.5


@given(st.integers(1, 30), st.floats(0, 1e9) | st.none())
def test_a_wait_is_the_planned_one_or_what_was_asked(made: int, asked: float | None) -> None:
    """`Retry-After` makes a wait longer, never shorter, and never longer than a day; jitter adds up to a tenth."""
    least = max(THREE_DAYS.delays[min(made, 9) - 1], min(asked or 0, 86_400))
    assert least <= THREE_DAYS(made, refused(asked)) <= least * 1.1 + 1e-9


@pytest.mark.parametrize("delays", [(), (5, -1)])
def test_no_schedule(delays: tuple[float, ...]) -> None:
    """A schedule has at least one wait, and none below nothing."""
    with pytest.raises(InvalidOption):
        RetrySchedule(delays)
    with pytest.raises(InvalidOption):
        RetrySchedule((1,), jitter=2)
