"""Why a job failed for good."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["FailureKind"]


class FailureKind(StrEnum):
    """Why a job failed for good."""

    EXHAUSTED = "exhausted"
    """Its last attempt failed."""
    PERMANENT = "permanent"
    """Another attempt would not have helped."""
    INVALID_PAYLOAD = "invalid-payload"
    """Its payload does not validate."""
    UNKNOWN_TASK = "unknown-task"
    """No worker has a task of its name."""
    POISON = "poison"
    """It stalled too often: it may be what ends its workers."""
    SUPERSEDED = "superseded"
    """A newer job took its place."""
    CANCELLED = "cancelled"
    """Somebody cancelled it."""
    SKIPPED = "skipped"
    """Another job of its key was running."""
