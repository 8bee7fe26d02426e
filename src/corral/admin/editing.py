"""The payload of a job, edited by an operator."""

from __future__ import annotations

from typing import Any

from corral.admin.batch import state_error
from corral.admin.view import JobsView
from corral.contracts.codec import JSON_CODEC
from corral.contracts.names import lookup_job_id
from corral.contracts.options import DEFAULTS, check_payload_limit
from corral.contracts.spec import TaskSpec
from corral.contracts.states import JobState
from corral.contracts.task import Task
from corral.engine import control
from corral.engine.record import Refusal
from corral.engine.sender import Sender
from corral.engine.server import Server
from corral.errors import InvalidOption, JobGone, PayloadTooLarge

__all__ = ["JobsEditing"]

AnyTask = Task[Any, Any] | TaskSpec[Any, Any]


class JobsEditing(JobsView):
    """Changes what the jobs of one queue carry."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(server, name)
        self._sender = Sender(server)

    async def set_data(
        self,
        job_id: str,
        data: Any,
        *,
        task: AnyTask | None = None,
        payload_limit: int = DEFAULTS.payload_limit,
    ) -> None:
        """Replace a job's payload. Its next run gets it; one that runs has the old one (BullMQ: job.updateData). What
        `singleton=` and `supersedes=` have taken from the old one stays its key.

        Args:
            data: any JSON value, None is `{}`; or a payload of the task.
            task: the job's; validates the payload now. Without it the payload is validated when the job runs.
            payload_limit: the longest that it may be, in bytes of JSON, where no task is given and it allows more than
                1 MiB.

        Raises:
            InvalidPayload: it is not strict JSON, or not valid for the task. Nothing was changed, here and below.
            PayloadTooLarge: it is longer.
            InvalidOption: the limit is none; the task is of another queue, or the job of another task.
            JobGone: there is no such job.
        """
        encoded, name = self._encoded(data, task, check_payload_limit("payload_limit", payload_limit))
        wire_id = lookup_job_id(job_id)
        code = await self._server.patiently(
            lambda: control.set_data(self._server, self._keys, wire_id, encoded, name=name)
        )
        if code == Refusal.OTHER_NAME:
            raise _other_task(job_id, task)
        if code == Refusal.NO_JOB:
            raise JobGone(job_id)

    async def replay(self, job_id: str, payload: Any, *, task: AnyTask | None = None) -> None:
        """Give a failed or completed job another payload and make it ready to run anew, with all of its attempts: both,
        or neither. Its outcome is forgotten, its log and its stack traces stay. So do the keys that `singleton=` and
        `supersedes=` took of the old payload, and no other job is superseded. Event: `waiting`.

        Args:
            payload: any JSON value, None is `{}`; or a payload of the task.
            task: the job's; validates the payload now. Without it the payload may have up to 1 MiB.

        Raises:
            InvalidPayload, PayloadTooLarge, InvalidOption: as for `set_data`. Nothing was changed, here and below.
            JobGone: there is no such job.
            JobNotInState: it has not ended.
        """
        encoded, name = self._encoded(payload, task, DEFAULTS.payload_limit)
        wire_id = lookup_job_id(job_id)
        answer = await self._sender.send(
            lambda sent: control.replay_job(self._server, self._keys, wire_id, encoded, name=name, sent=sent)
        )
        if answer == Refusal.OTHER_NAME:
            raise _other_task(job_id, task)
        if isinstance(answer, JobState):
            raise state_error(job_id, "replayed", answer, [JobState.FAILED, JobState.COMPLETED])

    def _encoded(self, data: Any, task: AnyTask | None, limit: int) -> tuple[bytes, str]:
        """The payload as JSON, and the name that the job has to have: any, where no task is given."""
        if task is None:
            encoded = JSON_CODEC.encode({} if data is None else data)
            if len(encoded) > limit:
                raise PayloadTooLarge(len(encoded), limit)
            return encoded, ""
        if not isinstance(task, Task | TaskSpec):
            raise InvalidOption("task", task, "give a task, as EmailTasks.send_invite")
        spec: TaskSpec[Any, Any] = task.spec if isinstance(task, Task) else task
        if spec.queue != self.queue:
            raise InvalidOption("task", task, f"its queue is {spec.queue!r}, and this is {self.queue!r}")
        return spec.encoded(data), spec.name


def _other_task(job_id: str, task: object) -> InvalidOption:
    return InvalidOption("task", task, f"job {job_id} has another name")
