"""What becomes of a run that raised: a table, with time and chance as parameters."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.backoff import Backoff, Exponential, Fixed
from corral.contracts.outcome import (
    Failed,
    HeldOff,
    RateLimited,
    Retried,
    RetryAt,
    Snooze,
    Snoozed,
    Unrecoverable,
    WaitingForChildren,
    decide,
    refuse,
)
from corral.errors import FieldProblem, InvalidOption, InvalidPayload, InvalidResult, UnknownTask

NOW = 1_800_000_000_000
DOUBLING = Exponential()


def decided(
    error: BaseException, *, made: int = 0, attempts: int = 3, backoff: Backoff | None = DOUBLING
) -> Failed | Retried | Snoozed | HeldOff | WaitingForChildren:
    """Decide at a fixed time and chance."""
    return decide(error, attempts_made=made, attempts=attempts, backoff=backoff, random=0.5, now_ms=NOW)


@pytest.mark.parametrize(("made", "delay_ms"), [(0, 1000), (1, 2000), (2, 4000)])
def test_a_failed_attempt_is_retried_while_attempts_are_left(made: int, delay_ms: int) -> None:
    """The wait is the backoff's for the attempts made, this one included."""
    outcome = decided(ValueError("boom"), made=made, attempts=4)
    assert isinstance(outcome, Retried)
    assert (outcome.delay_ms, outcome.reason) == (delay_ms, "boom")
    assert "ValueError: boom" in outcome.stack


@given(st.integers(0, 20), st.integers(0, 20))
def test_the_last_attempt_fails_for_good(made: int, attempts: int) -> None:
    """n attempts are n runs; 0 and 1 both mean one (BullMQ)."""
    outcome = decided(ValueError("boom"), made=made, attempts=attempts)
    assert isinstance(outcome, Retried) == (made + 1 < attempts)
    if isinstance(outcome, Failed):
        assert (outcome.final, outcome.kind) == (True, "exhausted")


def test_without_a_backoff_the_retry_is_at_once() -> None:
    """Zero milliseconds is retry now, not later."""
    outcome = decided(ValueError("boom"), backoff=None)
    assert isinstance(outcome, Retried)
    assert outcome.delay_ms == 0


def test_unrecoverable_fails_at_once() -> None:
    """With all attempts left."""
    outcome = decided(Unrecoverable("no such user"), attempts=100)
    assert isinstance(outcome, Failed)
    assert (outcome.reason, outcome.kind) == ("no such user", "permanent")


@pytest.mark.parametrize(
    ("signal", "snoozed"),
    [
        (Snooze(5), Snoozed(5000)),
        (Snooze(timedelta(minutes=1)), Snoozed(60_000)),
        (Snooze(0), Snoozed(0)),
        (RetryAt(datetime.fromtimestamp(NOW / 1000 + 60, UTC)), Snoozed(60_000, due_ms=NOW + 60_000)),
        (RetryAt(datetime.fromtimestamp(NOW / 1000 - 60, UTC)), Snoozed(0, due_ms=NOW - 60_000)),
    ],
    ids=str,
)
def test_a_snoozed_run_spends_no_attempt(signal: BaseException, snoozed: Snoozed) -> None:
    """Also on the last attempt: the job comes back later, as often as it likes."""
    assert decided(signal, made=2, attempts=3) == snoozed


def test_a_service_that_asks_to_wait_spends_no_attempt() -> None:
    """`RateLimited` holds the queue off, also on the last attempt."""
    assert decided(RateLimited(2), made=2, attempts=3) == HeldOff(2000)
    assert decided(RateLimited(0), made=2, attempts=3) == HeldOff(0)


@pytest.mark.parametrize(
    ("signal", "argument"),
    [(Snooze, -1), (Snooze, None), (RetryAt, datetime(2030, 1, 1)), (RetryAt, 5), (RateLimited, "5")],  # noqa: DTZ001
)
def test_a_signal_with_nonsense_is_refused_where_it_is_raised(signal: Any, argument: object) -> None:
    """Negative delays and times without a zone raise in the handler, so that the attempt fails with the reason."""
    with pytest.raises(InvalidOption):
        signal(argument)


@pytest.mark.parametrize(
    "error",
    [SystemExit(1), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()],
    ids=lambda e: type(e).__name__,
)
def test_whatever_a_handler_raises_is_a_failed_attempt(error: BaseException) -> None:
    """A handler that calls sys.exit, or cancels itself, has failed like any other."""
    outcome = decided(error)
    assert isinstance(outcome, Retried)
    assert outcome.reason


def test_a_backoff_function_may_say_no() -> None:
    """A negative wait is no retry."""
    outcome = decided(ValueError("boom"), backoff=lambda made, error: -1)
    assert isinstance(outcome, Failed)
    assert outcome.reason == "boom"


@pytest.mark.parametrize(
    "backoff", [lambda made, error: 1 / 0, lambda made, error: "soon", lambda made, error: None]
)
def test_a_broken_backoff_function_does_not_lose_the_job(backoff: Any) -> None:
    """The job fails with both errors in its traceback."""
    outcome = decided(ValueError("boom"), backoff=backoff)
    assert isinstance(outcome, Failed)
    assert "ValueError: boom" in outcome.stack
    assert "backoff function" in outcome.stack


def test_an_unknown_task_follows_its_retry_policy() -> None:
    """A deploy may bring the task: the job is retried like any other, and says what it was in the end."""
    error = UnknownTask("email", "send")
    first, last = decided(error, backoff=Fixed(1)), decided(error, made=2)
    assert isinstance(first, Retried)
    assert isinstance(last, Failed)
    assert last.kind == "unknown-task"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (InvalidPayload("email.send", [FieldProblem("to", "missing")]), "invalid-payload"),
        (InvalidResult("email.send", "not JSON"), "permanent"),
        (ValueError("a damaged record"), "permanent"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_another_run_would_meet_again_is_refused_for_good(error: Exception, kind: str) -> None:
    """Bytes that do not validate stay so, and effects that have happened are not repeated."""
    outcome = refuse(error)
    assert (outcome.final, outcome.kind) == (True, kind)
    assert outcome.reason == str(error)
