"""What was in a queue: by the minute, as BullMQ counts and as Corral samples."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from corral.contracts.duration import instant_ms
from corral.contracts.sample import Sample
from corral.contracts.states import JobState
from corral.engine.browse import Metrics, read_metrics
from corral.engine.gather_samples import read_samples
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["QueueHistory"]


class QueueHistory:
    """Looks back at one queue."""

    name: str
    """The queue's name."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._keys = server.keys(name)
        self.name = name

    async def metrics(self, state: JobState | str, *, start: int = 0, limit: int = 60) -> Metrics:
        """How many jobs completed or failed, in all and by the minute, the newest first (at most 1,000 minutes).

        Raises `InvalidOption` for any other state.
        """
        if state not in (JobState.COMPLETED, JobState.FAILED):
            raise InvalidOption("state", state, "give completed or failed")
        wanted = JobState(state)
        return await self._server.patiently(
            lambda: read_metrics(self._server, self._keys, wanted, start=start, limit=limit)
        )

    async def samples(self, since: datetime, until: datetime | None = None) -> list[Sample]:
        """The samples of the minutes that began at `since` or later, and before `until` (else now), the oldest first:
        one a minute, for seven days.

        They are taken by Corral's workers and by `corral serve`; a minute in which none ran is missing. `completed` and
        `failed` are the larger of what BullMQ's metrics and what the sets of finished jobs tell: too few only where
        jobs were ended by workers without metrics and trimmed or retried within the minute. Raises `InvalidOption` for
        times without a zone.
        """
        begin, end = instant_ms("since", since), instant_ms("until", until or datetime.now(UTC))
        found = list[Sample]()
        goes_on = begin < end
        while goes_on:
            rows, goes_on = await self._server.patiently(
                partial(read_samples, self._server, self._keys, begin, end)
            )
            found += [Sample.decode(minute, text) for minute, text in rows]
            begin = rows[-1][0] + 1 if rows else end
        return found
