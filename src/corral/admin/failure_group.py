"""Failures of one cause, as their operator sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from corral.contracts.failure import FailureKind

__all__ = ["FailureGroup", "FailureGroups"]


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failed jobs that have the same fingerprint."""

    fingerprint: str
    """Sixteen hexadecimal digits, the same for the same kind, type, place and message."""
    kind: FailureKind
    """Why they failed for good."""
    error_type: str
    """Of the exception; empty where no stack trace tells it."""
    place: str
    """The innermost frame of the user's code: `folder/file.py:function`; empty where no stack trace tells it."""
    message: str
    """The reason, with `#` for numbers, ids, addresses and times, and `…` between quotation marks."""
    count: int
    """How many, of those that are covered."""
    first_seen: datetime
    """When the first of them failed. UTC, as all times here."""
    last_seen: datetime
    example: str
    """The id of the job that failed last."""


@dataclass(frozen=True, slots=True)
class FailureGroups:
    """Groups of failed jobs, the latest to fail first, and what they cover."""

    groups: tuple[FailureGroup, ...]
    covered: int
    """How many failed jobs all groups of the queue have together, those left out of a page included."""
    total: int
    """How many failed jobs there are."""
    exact: bool
    """Whether every failed job is in its group, and no other: then `count` of each is exact."""
