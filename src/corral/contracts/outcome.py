"""What becomes of a run: the signals that a handler raises, the values that a worker settles with, and the decision.

The decision is pure (time and chance are parameters) and follows BullMQ's (wire format §16): a failed attempt is
retried while attempts are left, after the wait of its backoff.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from corral.contracts.backoff import Backoff, delay_ms
from corral.contracts.duration import Duration, instant_ms, milliseconds
from corral.contracts.failure import FailureKind
from corral.contracts.retry_after import retry_after_ms
from corral.contracts.stack import failure_reason, stack_text
from corral.errors import CorralError, InvalidPayload, UnknownTask

__all__ = [
    "Completed",
    "Failed",
    "HandlerSignal",
    "HeldOff",
    "Outcome",
    "RateLimited",
    "Released",
    "Retried",
    "RetryAt",
    "Snooze",
    "Snoozed",
    "Unrecoverable",
    "WaitForChildren",
    "WaitingForChildren",
    "decide",
    "refuse",
]


class HandlerSignal(CorralError):
    """Raised by a handler to say what is to become of its job."""


class Unrecoverable(HandlerSignal):
    """Another attempt would not help: fail now and for good."""

    def __init__(self, reason: str = "unrecoverable") -> None:
        self.reason = reason
        super().__init__(reason)


class Snooze(HandlerSignal):
    """Run this job again after ``delay`` (seconds or a `timedelta`). Spends no attempt."""

    def __init__(self, delay: Duration) -> None:
        self.delay = delay
        self.delay_ms = milliseconds("delay", delay)
        super().__init__(f"run again in {self.delay_ms / 1000:g} s")


class RetryAt(HandlerSignal):
    """Run this job again at ``when``, a datetime with a time zone. Spends no attempt."""

    def __init__(self, when: datetime) -> None:
        self.when = when
        self.when_ms = instant_ms("when", when)
        super().__init__(f"run again at {when.isoformat()}")


class RateLimited(HandlerSignal):
    """A service said that there are too many requests: the queue holds off for ``retry_after`` (seconds or a
    `timedelta`), then this job runs again, before the others. Spends no attempt.

    No job of the queue starts until then, on any Corral worker; Node's take part where they have a ``limiter``.
    """

    def __init__(self, retry_after: Duration) -> None:
        self.retry_after = retry_after
        self.retry_after_ms = milliseconds("retry_after", retry_after)
        super().__init__(f"rate limited for {self.retry_after_ms / 1000:g} s")


class WaitForChildren(HandlerSignal):
    """Run this job again when the children that it has added to itself have ended: see ``ctx.add_children``.

    Spends no attempt. When they have ended already it runs again at once; when one that must fail it has failed, it
    fails, without running; a job that has had no children at all fails, too, instead of running for ever.
    BullMQ: ``moveToWaitingChildren`` and ``WaitingChildrenError``.
    """

    def __init__(self) -> None:
        super().__init__("run again when its children have ended")


@dataclass(frozen=True, slots=True)
class Completed:
    """The handler returned; ``result_json`` is what it returned, as strict JSON."""

    result_json: bytes


@dataclass(frozen=True, slots=True)
class Failed:
    """The job failed for good. ``stack`` is the traceback as one text."""

    reason: str
    stack: str
    final: bool
    """Always true, here and below: an attempt that is not final is `Retried`."""
    kind: FailureKind


@dataclass(frozen=True, slots=True)
class Retried:
    """The attempt failed and another follows, after ``delay_ms``; 0 is at once."""

    delay_ms: int
    reason: str
    stack: str


@dataclass(frozen=True, slots=True)
class Snoozed:
    """The job runs again later and no attempt is spent. ``due_ms`` is absolute, where the handler said so."""

    delay_ms: int
    due_ms: int | None = None


@dataclass(frozen=True, slots=True)
class HeldOff:
    """The job goes back to the front, no attempt spent, and its queue starts nothing for ``wait_ms``."""

    wait_ms: int


@dataclass(frozen=True, slots=True)
class WaitingForChildren:
    """The job runs again when its children have ended, and no attempt is spent."""


@dataclass(frozen=True, slots=True)
class Released:
    """The run was given up (shutdown): back in line at once, no attempt spent."""


Outcome = Completed | Failed | Retried | Snoozed | HeldOff | WaitingForChildren | Released


def decide(
    error: BaseException,
    *,
    attempts_made: int,
    attempts: int,
    backoff: Backoff | None,
    random: float,
    now_ms: int,
    longest_retry_after_ms: int | None = None,
) -> Failed | Retried | Snoozed | HeldOff | WaitingForChildren:
    """What becomes of a run that raised ``error``.

    ``attempts_made`` counts the attempts before this one, ``attempts`` those allowed; ``random`` is in [0, 1). With
    ``longest_retry_after_ms`` the ``Retry-After`` of an HTTP error is followed, up to that.
    """
    if isinstance(error, Snooze):
        return Snoozed(error.delay_ms)
    if isinstance(error, RateLimited):
        return HeldOff(error.retry_after_ms)
    if isinstance(error, RetryAt):
        return Snoozed(max(0, error.when_ms - now_ms), due_ms=error.when_ms)
    if isinstance(error, WaitForChildren):
        return WaitingForChildren()
    if isinstance(error, Unrecoverable):
        return _failed(error, FailureKind.PERMANENT)
    if longest_retry_after_ms is not None and (asked := retry_after_ms(error, now_ms)):
        return HeldOff(min(asked, longest_retry_after_ms))
    made = attempts_made + 1
    if made >= attempts:
        unknown = isinstance(error, UnknownTask)
        return _failed(error, FailureKind.UNKNOWN_TASK if unknown else FailureKind.EXHAUSTED)
    try:
        wait = delay_ms(backoff, made, random=random, error=error)
    except Exception as fault:  # noqa: BLE001 - a backoff function of the user's: its fault must not lose the job
        fault.add_note("raised by the task's backoff function, so the job is not retried")
        fault.__cause__ = error
        return _failed(fault, FailureKind.PERMANENT)
    if wait is None:
        return _failed(error, FailureKind.PERMANENT)
    return Retried(wait, failure_reason(error), stack_text(error))


def refuse(error: BaseException) -> Failed:
    """The final failure of a job whose payload could not be read or whose result could not be written.

    Another run would meet the same bytes, or repeat effects that have happened.
    """
    if isinstance(error, InvalidPayload):
        return _failed(error, FailureKind.INVALID_PAYLOAD)
    return _failed(error, FailureKind.PERMANENT)


def _failed(error: BaseException, kind: FailureKind) -> Failed:
    return Failed(failure_reason(error), stack_text(error), True, kind)
