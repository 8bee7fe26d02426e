"""Who may do what: three roles, each of which may do all that the ones before it may."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Role"]


class Role(StrEnum):
    """What somebody may do."""

    VIEWER = "viewer"
    """Look at everything, change nothing."""
    OPERATOR = "operator"
    """Act on jobs, queues, schedules and workers."""
    ADMIN = "admin"
    """Everything: also what cannot be undone, and what the job API offers."""

    def includes(self, other: Role) -> bool:
        """Whether this role may do all that the other one may."""
        order = list(Role)
        return order.index(self) >= order.index(other)
