"""Between the program and its Redis or Valkey server."""

from __future__ import annotations

from corral.errors.root import CorralError

__all__ = [
    "DurabilityUnavailable",
    "EmbeddedServerError",
    "EventsTrimmed",
    "QueueFull",
    "ServerError",
    "ServerRefused",
    "ServerUnavailable",
]


class ServerError(CorralError):
    """Something between the program and its Redis or Valkey server. ``server`` never holds a password."""


class ServerUnavailable(ServerError):
    """The server could not be reached, or gave no answer, within ``after_seconds``. May be tried again."""

    def __init__(self, server: str, after_seconds: float, cause: str) -> None:
        self.server = server
        self.after_seconds = after_seconds
        self.cause = cause
        super().__init__(
            f"{server} gave no answer within {after_seconds:g} s ({cause}): check that it runs and that REDIS_URL "
            "names it, or start one with `corral dev`"
        )


class QueueFull(ServerError):
    """The server has no memory left for new jobs. Workers go on: it drains."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        super().__init__(
            f"queue {queue!r} takes no new jobs: the server has reached maxmemory. Jobs already accepted still "
            "run; try again later, raise maxmemory, or keep fewer finished jobs"
        )


class ServerRefused(ServerError):
    """The server refuses, and would again: wrong password, missing permission, unsuitable version."""

    def __init__(self, server: str, reason: str, remedy: str) -> None:
        self.server = server
        self.reason = reason
        self.remedy = remedy
        super().__init__(f"{server} refuses: {reason}. {remedy}" if remedy else f"{server} refuses: {reason}")


class EventsTrimmed(ServerError):
    """Events behind ``after`` are not kept any more, so some may have been missed. ``oldest`` is the first that is."""

    def __init__(self, queue: str, after: str, oldest: str | None) -> None:
        self.queue = queue
        self.after = after
        self.oldest = oldest
        super().__init__(
            f"events of queue {queue!r} behind {after} are not kept any more, and some may have been missed: subscribe "
            "without after= to go on from now, or with after='0-0' from the oldest that is kept; opts.maxLenEvents of "
            "the queue says how many that are"
        )


class DurabilityUnavailable(ServerError):
    """The durability that ``enqueue`` asked for cannot be given by this server, or was not reached in time."""

    def __init__(self, durability: str, reason: str) -> None:
        self.durability = durability
        self.reason = reason
        super().__init__(f"durability={durability!r}: {reason}")


class EmbeddedServerError(ServerError):
    """The embedded server cannot be started, reached or stopped."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"embedded server: {reason}")
