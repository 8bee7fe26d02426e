"""The jobs of one queue, as an operator sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from corral.admin.batch import Batch, several, state_error
from corral.admin.bulk import JobFilter, Promotion, Retrial, count_jobs_matching
from corral.admin.cancelling import JobsCancelling
from corral.admin.removing import Removing
from corral.admin.steps import Progress
from corral.contracts.arguments import flag, string, whole
from corral.contracts.duration import Duration, instant_ms, milliseconds
from corral.contracts.names import lookup_job_id
from corral.contracts.options import check_priority
from corral.contracts.states import JobState
from corral.engine import control
from corral.engine.record import Refusal
from corral.errors import InvalidOption, JobGone

__all__ = ["JobsAdmin"]

KEEP_LOGS: Final = 1000


class JobsAdmin(JobsCancelling):
    """The operator's verbs for the jobs of one queue. Made by `QueueAdmin.jobs`.

    Each verb happens wholly or not at all, and never twice: it is sent again until it is answered. A job in a state
    that does not allow what is asked for raises an error that names the state and those that would do, and nothing has
    changed. What concerns many jobs goes in steps of some hundred, which may be interrupted between any two.
    """

    def __repr__(self) -> str:
        return f"<JobsAdmin {self.queue}>"

    # --- removing ---------------------------------------------------------------------------------------

    async def remove(self, job_id: str, *, children: bool = True, on_progress: Progress | None = None) -> int:
        """Remove a job with all it has, and everything below it in a flow. Returns how many jobs that were.

        Event: `removed` for each (BullMQ: job.remove). Some hundred jobs go at once or not at all. A larger tree is
        looked through first and then goes in steps, from the top down; were that interrupted, the same call goes on
        with it, and what a worker has started meanwhile is left to run. A waiting job is searched for in its line, in
        calls of a few milliseconds; where more than 50,000 wait before and behind it, the newest takes its place.

        Args:
            children: False leaves the jobs below alone.
            on_progress: told of the number of jobs removed so far, twice (the whole is not known).

        Raises:
            JobGone: there is no such job.
            JobLocked: a worker runs it, or one below it. Nothing was changed.
            JobScheduled: it is the next run of a schedule. Nothing was changed.
        """
        report = on_progress or _silent
        flag("children", children)
        return await self._removing(lambda count: report(count, count)).remove(job_id, children=children)

    async def remove_many(
        self, job_ids: Iterable[str], *, children: bool = True, on_progress: Progress | None = None
    ) -> Batch:
        """Remove several jobs, one after the other, as `remove` does. Returns which, and why the others were not."""
        flag("children", children)
        return await self._removing(_quiet).remove_many(
            several(job_ids), children=children, report=on_progress or _silent
        )

    async def remove_unprocessed_children(self, job_id: str) -> int:
        """Remove those children of a job that have not ended, and those below them, but for those that a worker runs
        and those that have failed. Returns how many jobs that were.

        When none is left to wait for, the job itself becomes ready (BullMQ: job.removeUnprocessedChildren). Raises
        `JobGone`.
        """
        return await self._removing(_quiet).remove_unprocessed(job_id)

    def _removing(self, on_step: Callable[[int], object]) -> Removing:
        return Removing(self._server, self._keys, self._sender, on_step)

    # --- running again, running sooner ------------------------------------------------------------------

    async def retry(self, job_id: str, *, reset_attempts: bool = False, lifo: bool | None = None) -> None:
        """Make a finished job ready to run again, failed or completed: its outcome is forgotten, its log and its
        stack traces stay. A parent in a flow waits for it again, unless it has gone on.

        Event: `waiting` (BullMQ: job.retry). Its priority is honoured.

        Args:
            reset_attempts: forget the attempts made and the stalls, so that it has all of its attempts again.
                Otherwise a job that has used them up runs once. (The number of starts stays: it fences runs off.)
            lifo: True runs it before the others of its priority, False behind them; None does what its options say.

        Raises:
            JobGone: there is no such job.
            JobNotInState: it has not ended. Nothing was changed.
        """
        (await self.retry_many([job_id], reset_attempts=reset_attempts, lifo=lifo)).check_one()

    async def retry_many(
        self,
        job_ids: Iterable[str],
        *,
        reset_attempts: bool = False,
        lifo: bool | None = None,
        on_progress: Progress | None = None,
    ) -> Batch:
        """Make several finished jobs ready to run again, as `retry` does, in their order."""
        front = "" if lifo is None else str(int(flag("lifo", lifo)))
        return await self._retrial(reset_attempts).of_ids(several(job_ids), front, on_progress or _silent)

    async def retry_all(
        self,
        state: JobState | str = JobState.FAILED,
        *,
        where: JobFilter | None = None,
        limit: int | None = None,
        reset_attempts: bool = False,
        on_progress: Progress | None = None,
    ) -> int:
        """Make finished jobs ready to run again: all that were failed (or completed) when this began, or those that
        `where` describes, the oldest first and behind those that wait. Returns how many.

        Each is retried once, even if workers run and it fails again meanwhile (BullMQ: queue.retryJobs; priorities are
        honoured here). It goes in steps of 100 jobs looked at, between which others take their turn.

        Args:
            state: failed or completed.
            where: a name, a text in the reason, times. See also `count_matching`, which tells how many these are.
            limit: at most so many.
            reset_attempts: see `retry`.
            on_progress: told of the number of jobs looked at, and of the number to look at.

        Raises:
            InvalidOption: a state in which jobs have not ended, or a negative limit.
        """
        retrial = self._retrial(reset_attempts)
        return await retrial.of_all(state, where, limit, on_progress or _silent)

    def _retrial(self, reset_attempts: bool) -> Retrial:
        anew = int(flag("reset_attempts", reset_attempts))
        return Retrial(self._server, self._keys, self._sender, anew)

    async def count_matching(
        self,
        state: JobState | str = JobState.FAILED,
        *,
        where: JobFilter | None = None,
        on_progress: Progress | None = None,
    ) -> int:
        """How many finished jobs `retry_all` would retry now. Arguments as there; nothing is changed."""
        return await count_jobs_matching(self._server, self._keys, state, where, on_progress or _silent)

    async def promote(self, job_id: str) -> None:
        """Make a delayed job ready now. Event: `waiting` (BullMQ: job.promote).

        Raises:
            JobGone: there is no such job.
            JobNotInState: it is not delayed. Nothing was changed.
        """
        (await self.promote_many([job_id])).check_one()

    async def promote_many(self, job_ids: Iterable[str], *, on_progress: Progress | None = None) -> Batch:
        """Make several delayed jobs ready now, in their order."""
        promotion = Promotion(self._server, self._keys, self._sender)
        return await promotion.of_ids(several(job_ids), on_progress or _silent)

    async def promote_all(self, *, on_progress: Progress | None = None) -> int:
        """Make all delayed jobs ready, in the order in which they are due. Returns how many.

        Up to the latest that is delayed when this begins; in steps of 100. Priorities are honoured, and `delay` becomes
        0 (BullMQ: queue.promoteJobs does neither). A job that a worker delays again meanwhile may be promoted again.
        """
        return await Promotion(self._server, self._keys, self._sender).of_all(on_progress or _silent)

    # --- changing ---------------------------------------------------------------------------------------

    async def set_priority(self, job_id: str, priority: int, *, lifo: bool = False) -> None:
        """Change a job's priority: 0 for none, else 1 to 2,097,151, of which the lower runs sooner.

        A ready job changes its place: behind those of its new priority, or before them with `lifo`. In other states the
        new priority holds from the next time it becomes ready (BullMQ: job.changePriority). Searching a waiting job in
        a long line costs as with `remove`.

        Raises:
            InvalidOption: the number is not allowed.
            JobGone: there is no such job.
        """
        check_priority("priority", priority)
        wire_id = lookup_job_id(job_id)
        front = int(flag("lifo", lifo))
        found = await self._sender.send(
            lambda sent: control.set_priority(
                self._server, self._keys, wire_id, priority, front=front, sent=sent
            )
        )
        _must_exist(job_id, found)

    async def set_delay(
        self, job_id: str, delay: Duration | None = None, *, run_at: datetime | None = None
    ) -> None:
        """Change when a delayed job is due: `delay` from now (seconds or a `timedelta`), or at `run_at`.

        Event: `delayed` (BullMQ: job.changeDelay).

        Raises:
            InvalidOption: neither of the two is given, or both, or a time without a zone.
            JobGone: there is no such job.
            JobNotInState: it is not delayed. Nothing was changed.
        """
        if (delay is None) == (run_at is None):
            raise InvalidOption("delay", delay, "give delay or run_at, one of them")
        wait_ms = 0 if delay is None else milliseconds("delay", delay)
        due = "" if run_at is None else str(instant_ms("run_at", run_at))
        wire_id = lookup_job_id(job_id)
        state = await self._sender.send(
            lambda sent: control.set_delay(
                self._server, self._keys, wire_id, delay=wait_ms, due=due, sent=sent
            )
        )
        if state is not None:
            raise state_error(job_id, "rescheduled", state, [JobState.DELAYED])

    # --- logs -------------------------------------------------------------------------------------------

    async def add_log(self, job_id: str, line: str) -> int:
        """Add a line to a job's log; the newest 1,000 stay, or as many as its own `keepLogs` says. Returns how many
        there are (BullMQ: queue.addJobLog). Raises `JobGone`."""
        wire_id = lookup_job_id(job_id)
        string("line", line)
        count = await self._sender.send(
            lambda sent: control.add_log(self._server, self._keys, wire_id, line, keep=KEEP_LOGS, sent=sent)
        )
        _must_exist(job_id, count != Refusal.NO_JOB)
        return count

    async def clear_logs(self, job_id: str, *, keep: int = 0) -> None:
        """Delete a job's log, but for its newest `keep` lines (BullMQ: job.clearLogs). Raises `JobGone`."""
        whole("keep", keep)
        wire_id = lookup_job_id(job_id)
        _must_exist(
            job_id,
            await self._server.patiently(
                lambda: control.clear_log(self._server, self._keys, wire_id, keep=keep)
            ),
        )


def _must_exist(job_id: str, found: bool) -> None:
    if not found:
        raise JobGone(job_id)


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""


def _quiet(_count: int) -> None:
    """Tell nobody."""
