"""What a minute brought to a queue."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from corral.contracts.states import JobState

__all__ = ["Sample", "percentile"]

_STATES = tuple(state for state in JobState if state is not JobState.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One minute of a queue. Times in milliseconds; None where no job tells."""

    at: datetime
    """When the minute began, UTC."""
    counts: Mapping[JobState, int]
    """How many jobs were in each state soon after it had ended."""
    completed: int
    """How many jobs completed in it: at least so many (see `QueueAdmin.samples`)."""
    failed: int
    """How many failed for good in it, at least."""
    measured: int = 0
    """Of how many jobs the times are: the latest to end in this minute, at most 200."""
    wait_p50: int | None = None
    """From being due to the first start, of those that ran once: half of the jobs waited no longer."""
    wait_p95: int | None = None
    run_p50: int | None = None
    """From the last start to the end."""
    run_p95: int | None = None
    oldest_waiting: int | None = None
    """For how long the job had been due that was next in line."""

    def encode(self) -> str:
        """As it is kept."""
        counts = [self.counts.get(state, 0) for state in _STATES]
        return json.dumps(
            [
                counts, self.completed, self.failed, self.measured, self.wait_p50, self.wait_p95, self.run_p50,
                self.run_p95, self.oldest_waiting,
            ],
            separators=(",", ":"),
        )  # fmt: skip

    @staticmethod
    def decode(at_ms: int, text: bytes | str) -> Sample:
        """From what `encode` made, and the minute under which it was kept."""
        counts, completed, failed, measured, wait_p50, wait_p95, run_p50, run_p95, oldest = json.loads(text)
        return Sample(
            at=datetime.fromtimestamp(at_ms / 1000, UTC),
            counts=MappingProxyType(dict(zip(_STATES, counts, strict=True))),
            completed=completed, failed=failed, measured=measured, wait_p50=wait_p50, wait_p95=wait_p95,
            run_p50=run_p50, run_p95=run_p95, oldest_waiting=oldest,
        )  # fmt: skip


def percentile(values: Sequence[int], part: float) -> int | None:
    """The smallest of the values that at least this part of them does not exceed; None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]
