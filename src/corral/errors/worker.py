"""About one worker."""

from __future__ import annotations

from corral.errors.root import CorralError

__all__ = ["WorkerGone"]


class WorkerGone(CorralError):
    """No worker of that name is there to take an order; ``reason`` says why. Nothing was changed."""

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"worker {name!r} takes no orders: {reason}; corral workers lists who is there")
