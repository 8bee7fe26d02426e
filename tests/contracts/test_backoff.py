"""Backoff: BullMQ's formulas, with chance as a parameter."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.backoff import Backoff, Exponential, Fixed, delay_ms
from corral.contracts.duration import MAX_MS
from corral.errors import InvalidOption

CHANCE = st.floats(min_value=0, max_value=1, exclude_max=True)
DELAYS = st.integers(min_value=0, max_value=10**9).map(lambda ms: ms / 1000)
JITTERS = st.floats(min_value=0, max_value=1)
MADE = st.integers(min_value=1, max_value=10_000)


def test_exponential_doubles_from_one_second() -> None:
    """The default waits 1, 2, 4, 8, 16 seconds."""
    assert [delay_ms(Exponential(), made, random=0.5) for made in range(1, 6)] == [
        1000,
        2000,
        4000,
        8000,
        16000,
    ]


def test_fixed_stays() -> None:
    """Fixed waits the same before every attempt."""
    assert {delay_ms(Fixed(timedelta(seconds=3)), made, random=0.5) for made in range(1, 6)} == {3000}


def test_no_backoff_retries_at_once() -> None:
    """Without a backoff there is no wait."""
    assert delay_ms(None, 1, random=0.5) == 0


@given(st.sampled_from([Fixed, Exponential]), DELAYS, JITTERS, MADE, CHANCE)
def test_jitter_shortens_within_its_share(
    kind: type[Fixed] | type[Exponential], delay: float, jitter: float, made: int, random: float
) -> None:
    """With jitter j the wait is a whole number between d·(1-j), cut to a millisecond, and d."""
    full = delay_ms(kind(delay), made, random=random)
    chosen = delay_ms(kind(delay, jitter=jitter), made, random=random)
    assert full is not None
    assert chosen is not None
    assert full * (1 - jitter) - 1 <= chosen <= full <= MAX_MS


@given(DELAYS, MADE)
def test_exponential_never_shrinks(delay: float, made: int) -> None:
    """Each wait is at least as long as the one before, also after thousands of attempts."""
    before, after = (delay_ms(Exponential(delay), n, random=0.5) for n in (made, made + 1))
    assert before is not None
    assert after is not None
    assert before <= after


@pytest.mark.parametrize(
    ("returned", "wait"),
    [(2.5, 2500), (timedelta(minutes=1), 60_000), (0, 0), (-1, None), (timedelta(seconds=-1), None)],
)
def test_a_function_chooses(returned: float | timedelta, wait: int | None) -> None:
    """A function gives seconds or a timedelta; zero is at once, negative is no retry (BullMQ: -1)."""
    assert delay_ms(lambda made, error: returned, 1, random=0.5) == wait


def test_a_function_sees_the_attempts_and_the_error() -> None:
    """It is called with the attempts made, this one included, and with what was raised."""
    seen: list[tuple[int, BaseException]] = []

    def backoff(made: int, error: BaseException) -> float:
        seen.append((made, error))
        return 1

    error = OSError("down")
    delay_ms(backoff, 3, random=0.5, error=error)
    assert seen == [(3, error)]


@pytest.mark.parametrize("make", [Fixed, Exponential])
@pytest.mark.parametrize("arguments", [(-1,), ("1",), (1, 1.5), (1, -0.1), (1, True), (float("nan"),)])
def test_nonsense_is_refused_when_made(make: Callable[..., Backoff], arguments: tuple[object, ...]) -> None:
    """A backoff that could never work is refused where it is written."""
    with pytest.raises(InvalidOption):
        make(*arguments)
