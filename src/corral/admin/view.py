"""What can be seen of the jobs of one queue."""

from __future__ import annotations

from typing import Final

from corral.contracts.job import Job
from corral.contracts.names import lookup_job_id
from corral.contracts.states import JobState
from corral.engine.browse import job_state, list_jobs, read_job, read_logs
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["JobsView"]

LISTED: Final = tuple(state for state in JobState if state is not JobState.UNKNOWN)
Jobs = list[Job]
Lines = list[str]


class JobsView:
    """Looks at the jobs of one queue and changes nothing."""

    def __init__(self, server: Server, name: str) -> None:
        self._server = server
        self._keys = server.keys(name)
        self.queue = name

    async def get(self, job_id: str) -> Job | None:
        """A snapshot of one job with its state, or None when it is not kept (BullMQ: queue.getJob)."""
        wire_id = lookup_job_id(job_id)
        return await self._server.patiently(lambda: read_job(self._server, self._keys, wire_id))

    async def state(self, job_id: str) -> JobState:
        """The state of one job; `UNKNOWN` when it is not kept (BullMQ: job.getState)."""
        wire_id = lookup_job_id(job_id)
        return await self._server.patiently(lambda: job_state(self._server, self._keys, wire_id))

    async def list(self, state: JobState | str, *, start: int = 0, limit: int = 20) -> Jobs:
        """A page of the jobs of one state: finished ones newest first, others in the order in which they run (BullMQ:
        queue.getJobs). At most 1,000 at a time; each 250 of them, or each mebibyte, cost one round trip.

        Ids that BullMQ 5 parks while the queue is paused are waiting. Raises `InvalidOption` for a state that is none.
        """
        if state not in LISTED:
            raise InvalidOption("state", state, f"give one of {', '.join(LISTED)}")
        wanted = JobState(state)
        return await self._server.patiently(
            lambda: list_jobs(self._server, self._keys, wanted, start=start, limit=limit)
        )

    async def logs(self, job_id: str, *, start: int = 0, limit: int = 100) -> Lines:
        """A page of a job's log lines, the oldest first, at most 1,000 (BullMQ: queue.getJobLogs)."""
        wire_id = lookup_job_id(job_id)
        return await self._server.patiently(
            lambda: read_logs(self._server, self._keys, wire_id, start=start, limit=limit)
        )
