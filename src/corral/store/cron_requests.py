"""From a cron job to what the engine takes: its schedule, or one job. Pure."""

from __future__ import annotations

from typing import Any, Final

from corral.client.ids import new_job_id
from corral.contracts.backoff import Exponential
from corral.contracts.codec import JSON_CODEC
from corral.contracts.names import encode_job_id
from corral.contracts.producer import EnqueueRequest, ScheduleRequest
from corral.contracts.schedule import Cron
from corral.contracts.spec import TaskSpec, untyped_spec
from corral.contracts.wire_options import with_cron_job
from corral.store.cron_job import CronJob, StoredCronJob
from corral.store.known_tasks import KnownTasks

__all__ = ["job_id_beginnings", "schedule_request", "trigger_request"]

ID_LENGTH: Final = 36
"""Of what makes the id of a triggered job its own."""


def schedule_request(cron_job: StoredCronJob, tasks: KnownTasks) -> ScheduleRequest[Any]:
    """The schedule that stands for a cron job. Raises `InvalidInput` where it is not valid."""
    spec = _spec(cron_job, tasks)
    options = {
        **_options(cron_job),
        "repeat": Cron(cron_job.pattern, tz=cron_job.tz),
        "job_id": cron_job.job_id,
    }
    request = spec.schedule(_payload(cron_job, spec), options)
    return request._replace(opts=with_cron_job(request.opts, cron_job.id, "cron"))


def trigger_request(cron_job: StoredCronJob, tasks: KnownTasks) -> EnqueueRequest[Any]:
    """A job of a cron job, to run now, with an id of its own. Raises `InvalidInput` where it is not valid."""
    spec = _spec(cron_job, tasks)
    options = {**_options(cron_job), "job_id": _trigger_id(cron_job)}
    request = spec.request(_payload(cron_job, spec), options)
    return request._replace(opts=with_cron_job(request.opts, cron_job.id, "cronTrigger"))


def job_id_beginnings(cron_job: CronJob) -> list[str]:
    """How the ids of its jobs begin, as they are in Redis: of scheduled and of triggered ones."""
    return [f"repeat:{cron_job.job_id}:", encode_job_id(_trigger_id(cron_job))[:-ID_LENGTH]]


def _trigger_id(cron_job: CronJob) -> str:
    return f"trigger:{cron_job.job_id}:{new_job_id()}"


def _spec(cron_job: CronJob, tasks: KnownTasks) -> TaskSpec[Any, Any]:
    return tasks.get(cron_job.queue, cron_job.handler) or untyped_spec(cron_job.queue, cron_job.handler)


def _payload(cron_job: CronJob, spec: TaskSpec[Any, Any]) -> Any:
    return spec.payload.decode(JSON_CODEC.encode(cron_job.payload))


def _options(cron_job: CronJob) -> dict[str, Any]:
    return {"attempts": cron_job.max_attempts, "backoff": Exponential(cron_job.backoff_ms / 1000)}
