"""What a worker serves, and how: settings for one task set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from corral.contracts.binding import TaskSource
from corral.contracts.rate_limit import RateLimit
from corral.errors import InvalidOption

__all__ = ["DEFAULT_CONCURRENCY", "HIGHEST_CONCURRENCY", "QueueSettings", "Serve", "Unknown"]

Unknown = Literal["fail", "park"]
"""What becomes of a job whose task the worker does not have: it fails (and is retried by its options), or is put back
for another worker, no attempt spent."""

DEFAULT_CONCURRENCY: Final = 10
HIGHEST_CONCURRENCY: Final = 100_000


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """How one queue is worked. Times in seconds."""

    concurrency: int = DEFAULT_CONCURRENCY
    lock_duration: float = 30.0
    stalled_interval: float = 30.0
    max_stalled: int = 1
    unknown: Unknown = "fail"
    metric_minutes: int = 20160
    limiter: RateLimit | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        _check("concurrency", self.concurrency, 1, HIGHEST_CONCURRENCY)
        _check("lock_duration", self.lock_duration, 0.1, 86_400)
        _check("stalled_interval", self.stalled_interval, 0.1, 86_400)
        _check("max_stalled", self.max_stalled, 0, 1_000_000)
        _check("metric_minutes", self.metric_minutes, 0, 1_000_000)
        if self.unknown not in ("fail", "park"):
            raise InvalidOption("unknown", self.unknown, 'give "fail" or "park"')
        if self.limiter is not None and not isinstance(self.limiter, RateLimit):
            raise InvalidOption("limiter", self.limiter, "give RateLimit(max, per=seconds)")

    def over(self, changes: dict[str, Any]) -> QueueSettings:
        """These settings with some changed; None changes nothing."""
        return replace(self, **{name: value for name, value in changes.items() if value is not None})


def _check(option: str, value: float, lowest: float, highest: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
        raise InvalidOption(option, value, f"give a number from {lowest:,} to {highest:,}")


class Serve:
    """A task set with settings of its own, for a worker that runs several: `Serve(emails, concurrency=5)`.

    Args:
        source: an instance of a `TaskSet`, or a `Queue`.
        concurrency: how many of its jobs run at the same time.
        lock_duration: seconds until the jobs of a dead worker count as free.
        stalled_interval: seconds between looks for such jobs.
        max_stalled: how often a job may be returned before it is failed.
        unknown: what becomes of jobs whose task is not here: `"fail"` or `"park"`.
        limiter: how many of its jobs may start in a window, over all workers of the queue that say the same.
    """

    def __init__(
        self,
        source: TaskSource,
        *,
        concurrency: int | None = None,
        lock_duration: float | None = None,
        stalled_interval: float | None = None,
        max_stalled: int | None = None,
        unknown: Unknown | None = None,
        limiter: RateLimit | None = None,
    ) -> None:
        self.source = source
        self.changes: dict[str, Any] = {
            "concurrency": concurrency,
            "lock_duration": lock_duration,
            "stalled_interval": stalled_interval,
            "max_stalled": max_stalled,
            "unknown": unknown,
            "limiter": limiter,
        }
        QueueSettings().over(self.changes)
