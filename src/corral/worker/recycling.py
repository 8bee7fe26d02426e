"""When a worker has served long enough: so many jobs, or so much memory."""

from __future__ import annotations

import time
from typing import Final

from corral.errors import InvalidOption
from corral.worker.memory import memory_in_use

__all__ = ["Recycling"]

LOOK_EVERY: Final = 1.0
"""Seconds between looks at the memory in use: one look costs as much as a small job."""


class Recycling:
    """Counts jobs, and says when the process should end so that a fresh one takes its place.

    Memory that handlers leak is the reason; who starts the fresh process is the supervisor's business.
    """

    def __init__(self, max_jobs: int | None = None, max_memory: int | None = None) -> None:
        for option, value in (("max_jobs", max_jobs), ("max_memory", max_memory)):
            if value is not None and value < 1:
                raise InvalidOption(option, value, "give a whole number from 1, or None for no limit")
        self._max_jobs = max_jobs
        self._max_memory = max_memory
        self._looked = 0.0
        self.jobs_ended = 0

    def over(self, max_jobs: int | None, max_memory: int | None) -> Recycling:
        """These limits with some changed; None changes nothing."""
        return Recycling(
            self._max_jobs if max_jobs is None else max_jobs,
            self._max_memory if max_memory is None else max_memory,
        )

    def due_after_job(self) -> bool:
        """Count a job that has ended, and tell whether it is time."""
        self.jobs_ended += 1
        if self._max_jobs is not None and self.jobs_ended >= self._max_jobs:
            return True
        if self._max_memory is None or (now := time.monotonic()) - self._looked < LOOK_EVERY:
            return False
        self._looked = now
        return memory_in_use() > self._max_memory
