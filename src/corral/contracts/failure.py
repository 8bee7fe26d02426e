"""Why a job failed for good: its kind, and the reasons that Corral itself gives."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from corral.contracts.arguments import string
from corral.contracts.names import decode_job_id
from corral.errors import InvalidOption, JobCancelled

__all__ = ["CANCELLED", "FailureKind", "cancel_reason", "cancellation", "kind_of_deferred", "kind_of_failed"]

STALLED: Final = "job stalled more than allowable limit"
CANCELLED: Final = "cancelled"
SUPERSEDED_BY: Final = "superseded by "
LONGEST_REASON: Final = 1000


class FailureKind(StrEnum):
    """Why a job failed for good."""

    EXHAUSTED = "exhausted"
    """Its last attempt failed."""
    PERMANENT = "permanent"
    """Another attempt would not help: its handler said so, its result cannot be stored, or a child of it failed."""
    INVALID_PAYLOAD = "invalid-payload"
    """Its payload is not what the task declares."""
    UNKNOWN_TASK = "unknown-task"
    """No task of the worker has its name."""
    POISON = "poison"
    """Its workers died or lost it too often: it stalled more than is allowed."""
    SUPERSEDED = "superseded"
    """A newer job with the same key has taken its place."""
    CANCELLED = "cancelled"
    """Somebody cancelled it."""
    SKIPPED = "skipped"
    """It was not to run while another one ran."""

    @property
    def is_wanted(self) -> bool:
        """Whether the job ended by somebody's wish, or by an option of its task, and nothing went wrong."""
        return self in _WANTED


_BY_TEXT: Final[Mapping[str | None, FailureKind]] = MappingProxyType(
    {str(kind): kind for kind in FailureKind}
)

_WANTED: Final = frozenset({FailureKind.SUPERSEDED, FailureKind.CANCELLED, FailureKind.SKIPPED})
"""With these the reason begins."""


def cancel_reason(reason: str) -> str:
    """What stands in a cancelled job as its reason. Raises `InvalidOption` for more than 1,000 characters."""
    string("reason", reason)
    if len(reason) > LONGEST_REASON:
        raise InvalidOption("reason", reason, f"at most {LONGEST_REASON:,} characters")
    return f"{CANCELLED}: {reason}" if reason else CANCELLED


def cancellation(job_id: str, text: str) -> JobCancelled:
    """The error that tells of a cancelled or superseded job, whose reason is ``text``."""
    if text.startswith(SUPERSEDED_BY):
        return JobCancelled(job_id, text, superseded_by=decode_job_id(text.removeprefix(SUPERSEDED_BY)))
    return JobCancelled(job_id, "" if text == CANCELLED else text.removeprefix(f"{CANCELLED}: "))


def kind_of_deferred(reason: str) -> FailureKind:
    """The kind of a failure that a job carries to its next start instead of running (``defa``). Only engines write
    these, so their text tells."""
    if reason == STALLED:
        return FailureKind.POISON
    if reason == CANCELLED or reason.startswith(f"{CANCELLED}: "):
        return FailureKind.CANCELLED
    return FailureKind.SUPERSEDED if reason.startswith(SUPERSEDED_BY) else FailureKind.PERMANENT


def kind_of_failed(stored: str | None, reason: str, made: int, attempts: int) -> FailureKind:
    """The kind of a failed job: the ``stored`` one, or what can be told of a job that another program failed.
    ``made`` counts its attempts, of those that were allowed (``attempts``).

    Another program that retries a job leaves the kind of its earlier end in it, and where Corral has ended it without
    its handler, the reason tells.
    """
    kind = _BY_TEXT.get(stored)
    if kind is not None and (not kind.is_wanted or reason.startswith(kind)):
        return kind
    if reason == STALLED:
        return FailureKind.POISON
    return FailureKind.PERMANENT if made < attempts else FailureKind.EXHAUSTED
