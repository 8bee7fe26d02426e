"""One thing that was looked at, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    """Could not be looked at, or is as well to know."""
    WARNING = "warning"
    """Will hurt one day, but loses no job."""
    PROBLEM = "problem"
    """Loses jobs, or keeps them from running."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found, and the remedy: empty where there is nothing to do."""

    check: str
    severity: Severity
    found: str
    remedy: str = ""
