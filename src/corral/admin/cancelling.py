"""Cancelling jobs."""

from __future__ import annotations

from collections.abc import Iterable

from corral.admin.batch import Batch, several
from corral.admin.editing import JobsEditing
from corral.admin.steps import Progress
from corral.contracts.arguments import flag
from corral.contracts.failure import cancel_reason
from corral.contracts.names import lookup_job_id
from corral.engine.control_cancel import Cancelling
from corral.errors import JobError

__all__ = ["JobsCancelling"]


class JobsCancelling(JobsEditing):
    """The verbs that end jobs which nobody wants any more."""

    async def cancel(self, job_id: str, reason: str = "", *, children: bool = False) -> bool:
        """Cancel a job: it fails for good, with the kind `FailureKind.CANCELLED` and ``cancelled: <reason>`` as its
        reason. True when it has ended now; False when it runs, and its worker is told: then it ends no other way,
        whatever its handler does, also when that worker dies.

        Event: `failed`. A Node worker lets a job that it runs go on. A waiting job is searched for as by `remove`.

        Args:
            reason: at most 1,000 characters.
            children: also all jobs below it in a flow that have not ended, one after the other.

        Raises:
            InvalidOption: the reason is too long.
            JobGone: there is no such job.
            JobNotInState: it has ended before. Nothing was changed.
            JobScheduled: it is the next run of a schedule. Nothing was changed.
        """
        cancelling = Cancelling(self._server, self._keys, cancel_reason(reason))
        wire_id = lookup_job_id(job_id)
        done = await cancelling.cancel(wire_id, children=flag("children", children))
        return done.has_ended(job_id)

    async def cancel_many(
        self,
        job_ids: Iterable[str],
        reason: str = "",
        *,
        children: bool = False,
        on_progress: Progress | None = None,
    ) -> Batch:
        """Cancel several jobs, one after the other, as `cancel` does. Returns which, and why the others were not."""
        cancel_reason(reason)
        ids, done, refused = several(job_ids), list[str](), dict[str, JobError]()
        for number, job_id in enumerate(ids, 1):
            try:
                await self.cancel(job_id, reason, children=children)
                done.append(job_id)
            except JobError as error:
                refused[job_id] = error
            if on_progress is not None:
                on_progress(number, len(ids))
        return Batch(tuple(done), refused)
