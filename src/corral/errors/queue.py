"""About one queue as a whole."""

from __future__ import annotations

from corral.errors.root import CorralError

__all__ = ["QueueActive", "QueueDamaged", "QueueError"]


class QueueError(CorralError):
    """Something about one queue as a whole."""


class QueueActive(QueueError):
    """Workers hold ``active`` jobs of the queue, so that it is not obliterated. Nothing was changed."""

    def __init__(self, queue: str, active: int) -> None:
        self.queue = queue
        self.active = active
        jobs = "1 job" if active == 1 else f"{active:,} jobs"
        super().__init__(
            f"queue {queue!r} is not obliterated: workers hold {jobs} of it. Pause it and wait until they have ended, "
            "or give force=True, which takes these jobs away from them"
        )


class QueueDamaged(QueueError):
    """The ``key`` of a queue holds what BullMQ does not write there; ``reason`` says what is wrong with it."""

    def __init__(self, queue: str, key: str, reason: str) -> None:
        self.queue = queue
        self.key = key
        self.reason = reason
        super().__init__(
            f"{key!r} of queue {queue!r} cannot be read: {reason[:300]}. Another program has written there: "
            "look at the key, and remove it if nobody needs what is in it"
        )
