"""One queue, as its operator sees it."""

from __future__ import annotations

from functools import partial

from corral.admin import clearing, orphans
from corral.admin.failures import QueueFailures
from corral.admin.history import QueueHistory
from corral.admin.jobs import JobsAdmin
from corral.admin.schedules import SchedulesAdmin
from corral.admin.settings import QueueSettings
from corral.admin.steps import Progress
from corral.admin.workers import find_workers
from corral.contracts.arguments import flag, string, whole
from corral.contracts.duration import Duration, milliseconds
from corral.contracts.names import decode_job_id, lookup_job_id
from corral.contracts.rate_limit import RateLimit
from corral.contracts.states import JobState
from corral.contracts.worker_record import WorkerRecord, WorkerState
from corral.engine.browse import count_jobs, is_paused
from corral.engine.browse_queue import count_priorities, read_settings
from corral.engine.control_queue import (
    deduplication_owner,
    pause_queue,
    remove_deduplication,
    resume_queue,
    trim_events,
    write_setting,
)
from corral.engine.limit import hold_starts, read_limits, set_concurrency, set_rate
from corral.engine.sender import Sender
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["QueueAdmin"]


class QueueAdmin(QueueHistory):
    """The operator's verbs for one queue. Made by `Admin.queue`.

    What goes over many jobs goes in steps of some milliseconds; between two steps every client sees a whole and valid
    queue, only smaller. An interrupted verb has done a part of its work, and is completed by asking again. Every verb
    raises `ServerUnavailable` when a step of it finds no answer in time.

    `on_progress` is called with how much is done and how much there was when the verb began.
    """

    jobs: JobsAdmin
    """What can be done to single jobs, and to many."""
    schedules: SchedulesAdmin
    """What makes jobs again and again."""
    failures: QueueFailures
    """What failed for good, by cause."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(server, name)
        self._sender = Sender(server)
        self.jobs = JobsAdmin(server, name)
        self.schedules = SchedulesAdmin(server, name)
        self.failures = QueueFailures(server, name)

    def __repr__(self) -> str:
        return f"<QueueAdmin {self.name}>"

    # --- whether it hands out jobs ----------------------------------------------------------------------

    async def pause(self) -> None:
        """Hand out no more jobs, for workers of every kind, until `resume`. Jobs that run go on; jobs may be added.

        Nothing happens when the queue is paused. Event: `paused` (BullMQ: queue.pause).
        """
        while await self._server.patiently(lambda: pause_queue(self._server, self._keys)):
            pass

    async def resume(self) -> None:
        """Hand out jobs again, and wake the workers. Event: `resumed`, if the queue was paused (BullMQ: queue.resume).

        Ids that BullMQ 5 has put into its `paused` list run first; no id is lost, whoever paused and whoever added
        meanwhile. Where both lists are long the queue stays paused until they are one.
        """
        while await self._server.patiently(lambda: resume_queue(self._server, self._keys)):
            pass

    async def paused(self) -> bool:
        """Whether the queue hands out no jobs."""
        return await self._server.patiently(lambda: is_paused(self._server, self._keys))

    # --- what is in it, and who works on it -------------------------------------------------------------

    async def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state, at one moment. Ids in BullMQ 5's `paused` list count as waiting."""
        return await self._server.patiently(lambda: count_jobs(self._server, self._keys))

    async def priorities(self) -> dict[int, int]:
        """How many ready jobs there are of each priority that any has, in the order in which they run: 0, which is
        none, comes first (BullMQ: getCountsPerPriority). Delayed jobs are not among them."""
        found = {0: (await self.counts())[JobState.WAITING]}
        while True:
            after = max(found)
            more = await self._server.patiently(
                partial(count_priorities, self._server, self._keys, after=after)
            )
            if not more:
                return found
            found |= more

    async def workers(self) -> list[WorkerRecord]:
        """The workers of this queue, Corral's and Node's, by name, as `Admin.workers` (BullMQ: getWorkers)."""
        return await self._server.patiently(lambda: find_workers(self._server, self.name))

    async def unserved(self) -> int:
        """How many ready jobs wait although nobody claims any: no worker is there, or all of them drain, stop or are
        silent. Raises `ServerRefused` as `Admin.workers`."""
        counts = await self.counts()
        ready = counts[JobState.WAITING] + counts[JobState.PRIORITIZED]
        workers = await self.workers() if ready else []
        return 0 if any(worker.state is WorkerState.RUNNING for worker in workers) else ready

    async def deduplication(self, deduplication_id: str) -> str | None:
        """The id of the job that owns this deduplication id: while one does, others with it are not added. None when
        nobody does (BullMQ: getDeduplicationJobId)."""
        key = string("deduplication_id", deduplication_id)
        owner = await self._server.patiently(lambda: deduplication_owner(self._server, self._keys, key))
        return None if owner is None else decode_job_id(owner)

    async def remove_deduplication(self, deduplication_id: str, *, job_id: str | None = None) -> bool:
        """Let the next job with this deduplication id be added, whatever becomes of the one that owns it, which stays
        as it is. False when nobody owns it (BullMQ: queue.removeDeduplicationKey).

        Args:
            job_id: only if this job owns it (BullMQ: job.removeDeduplicationKey).
        """
        key = string("deduplication_id", deduplication_id)
        owner = "" if job_id is None else lookup_job_id(job_id)
        return await self._sender.send(
            lambda sent: remove_deduplication(self._server, self._keys, key, owner, sent=sent)
        )

    # --- taking jobs out --------------------------------------------------------------------------------

    async def drain(self, *, delayed: bool = False, on_progress: Progress | None = None) -> int:
        """Remove the jobs that wait to run: waiting, prioritized and, on request, delayed. Returns how many.

        Running jobs, finished ones and waiting parents stay, and so do the pending iterations of schedules, which
        would end without them. A job that a worker starts before its turn comes is not removed; of jobs added
        meanwhile some may be. Parents do not wait for removed children: one in the same queue that waited for nothing
        else goes too (BullMQ: queue.drain, in one piece).
        """
        flag("delayed", delayed)
        return await clearing.drain(self._server, self._keys, delayed=delayed, on_progress=on_progress)

    async def clean(
        self,
        state: JobState | str,
        *,
        older_than: Duration,
        limit: int | None = None,
        on_progress: Progress | None = None,
    ) -> int:
        """Remove jobs of one state that ended, else last started, else were added `older_than` (seconds, or a
        `timedelta`) ago or earlier. Returns how many. Events: `cleaned`, with the count of each step (BullMQ:
        queue.clean).

        Args:
            state: completed, failed, delayed, prioritized, waiting, or active: of these those whose lock is gone.
            older_than: 0 for all.
            limit: how many to remove at most. Finished jobs go oldest first, waiting ones in the order in which they
                would run.
            on_progress: told how many were looked at.

        Pending iterations of schedules stay. Of a waiting line longer than 100,000, jobs are found that have fewer
        than that many younger ones before them in line.

        Raises:
            InvalidOption: another state; a negative age; a limit below 1.
        """
        return await clearing.clean(
            self._server, self._keys, state, older_than=older_than, limit=limit, on_progress=on_progress
        )

    async def obliterate(self, *, force: bool = False, on_progress: Progress | None = None) -> None:
        """Remove the queue with everything that belongs to it: jobs of all states, schedules, events, metrics, limits,
        deduplication ids, and what Corral keeps beside them.

        It is paused first, and stays so until it is gone; whoever adds a job then makes a new queue. Finding the last
        keys takes a look at every key of the server, a thousand at a time (BullMQ: queue.obliterate, which leaves
        waiting parents, limits and deduplication ids behind).

        Args:
            force: also when workers hold jobs: their runs go on, and what they say is refused.
            on_progress: told how many jobs were removed.

        Raises:
            QueueActive: workers hold jobs, and there is no `force`. Nothing was changed.
        """
        flag("force", force)
        await clearing.obliterate(self._server, self._keys, force=force, on_progress=on_progress)

    async def orphans(self, *, limit: int = 1000, on_progress: Progress | None = None) -> list[str]:
        """Find jobs that are in no state, iterations of schedules included: their ids, at most `limit`. Takes a look
        at every key of the server, a thousand at a time.

        In doubt, because a list changes faster than it can be read, a job is none.
        """
        whole("limit", limit)
        found = await orphans.find(self._server, self._keys, limit=limit, on_progress=on_progress)
        return [decode_job_id(wire_id) for wire_id in found]

    async def remove_orphans(self, *, on_progress: Progress | None = None) -> int:
        """Remove jobs that are in no state, with all their keys, and keys that are left of jobs that are gone. Returns
        how many jobs. Each is looked at again in the step that removes it, so a job that somebody adds or moves
        meanwhile is safe (BullMQ: queue.removeOrphanedJobs, which misses schedules and takes metrics)."""
        return await orphans.remove(self._server, self._keys, on_progress=on_progress)

    # --- settings ---------------------------------------------------------------------------------------

    async def settings(self) -> QueueSettings:
        """What holds for the queue, whoever works on it."""
        kept = await self._server.patiently(lambda: read_settings(self._server, self._keys))
        limits = await self._server.patiently(lambda: read_limits(self._server, self._keys))
        return QueueSettings(
            kept.paused, limits.concurrency, limits.rate, kept.max_events, kept.version, kept.peers
        )

    async def set_concurrency(self, most: int | None) -> None:
        """Let at most so many jobs run at once over all workers, None for any number. Holds at once; what runs goes on
        (BullMQ: setGlobalConcurrency, removeGlobalConcurrency). Raises `InvalidOption` for less than 1."""
        await self._server.patiently(lambda: set_concurrency(self._server, self._keys, most))

    async def set_rate_limit(self, limit: RateLimit | None) -> None:
        """Let jobs start no faster than that over all workers, None for any rate. Holds at once, also for workers that
        wait for the end of another limit (BullMQ: setGlobalRateLimit, removeGlobalRateLimit)."""
        await self._server.patiently(lambda: set_rate(self._server, self._keys, limit))

    async def hold(self, duration: Duration) -> None:
        """Let no job start for so long (seconds, or a `timedelta`), as when a handler raises `RateLimited`; 0 ends such
        a time and the current window (BullMQ: queue.rateLimit, removeRateLimitKey). Node's workers take part where
        they have a rate limit. Raises `InvalidOption` for a negative duration."""
        hold_ms = milliseconds("duration", duration)
        await self._server.patiently(lambda: hold_starts(self._server, self._keys, hold_ms))

    async def held_for(self, limit: RateLimit | None = None) -> float:
        """Seconds until the next job may start; 0 when no rate limit holds it (BullMQ: getRateLimitTtl).

        Args:
            limit: that of the workers (`limiter=`), which the queue does not know. A limit of the queue wins over its
                number. Without either, only a time off is seen (`hold`, `RateLimited`).
        """
        limits = await self._server.patiently(lambda: read_limits(self._server, self._keys, limit))
        return limits.held_ms / 1000

    async def set_max_events(self, count: int) -> None:
        """Keep about so many events in the stream; it is cut when the next ones are written (BullMQ:
        `streams.events.maxLen`). Raises `InvalidOption` for less than 0."""
        whole("count", count)
        await self._server.patiently(
            lambda: write_setting(self._server, self._keys, "opts.maxLenEvents", count)
        )

    async def trim_events(self, count: int) -> int:
        """Cut the event stream to about the newest `count` now; how many went (BullMQ: trimEvents). Raises
        `InvalidOption` for less than 0."""
        whole("count", count)
        removed = 0
        while some := await self._server.patiently(lambda: trim_events(self._server, self._keys, count)):
            removed += some
        return removed

    async def set_peers(self, major: int | None) -> None:
        """Say which major version of BullMQ other programs on this queue use, 5 or 6; None: as `meta.version` says.

        It decides where the ready ids of a paused queue are: BullMQ 5 keeps them in a list `paused`, and on resuming
        forgets those that are not there. Raises `InvalidOption` for another number.
        """
        if major is not None and (not isinstance(major, int) or major not in (5, 6)):
            raise InvalidOption("major", major, "give 5 or 6, or None for what meta.version says")
        value = "" if major is None else major
        await self._server.patiently(lambda: write_setting(self._server, self._keys, "corral.peers", value))
        if await self.paused():
            await self.pause()
