"""A job and an event as the API shows them. Job data becomes output here, and nowhere else."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import Field

from corral.contracts.event import Event
from corral.contracts.job import Job
from corral.contracts.names import decode_job_id
from corral.http.model import Moment, Shown, moment_of

__all__ = ["EventModel", "JobModel", "JobStatus", "show_event", "show_job"]


class JobStatus(Shown):
    """How a job is."""

    id: str = Field(examples=["invite-42"])
    state: str = Field(examples=["completed"])
    progress: Any = Field(default=None, examples=[50])
    data: Any = Field(default=None, description="Its payload.", examples=[{"to": "ann@example.org"}])
    returnvalue: Any = Field(default=None, description="What its handler returned.")
    attempts_made: int = Field(examples=[1])
    failed_reason: str | None = Field(default=None, description="Why the latest failed attempt failed.")


class JobModel(JobStatus):
    """All that is kept of a job, its log lines aside."""

    queue: str
    name: str
    kind: str = Field(
        description="`cron`: made by a schedule; `cronTrigger`: by hand from a cron job; `adhoc`."
    )
    failure_kind: str | None = Field(description="Why it failed for good.", examples=["exhausted"])
    attempts_started: int
    stalled_count: int
    stacktrace: list[str]
    timestamp: Moment | None
    processed_on: Moment | None
    finished_on: Moment | None
    delay: int
    priority: int
    opts: Any
    parent: str | None = Field(description="The job that waits for this one: the key in Redis.")
    deduplication_id: str | None
    schedule_id: str | None = Field(description="The schedule that made it.")
    processed_by: str | None
    malformed: dict[str, str] = Field(description="Fields that could not be read, each with the reason.")
    digest: str = Field(
        description="Of the payload as it is shown: a change that names it is refused once that is another one."
    )


class EventModel(Shown):
    """Something that happened in a queue. Its other fields depend on the event."""

    id: str
    event: str
    queue: str
    timestamp: Moment
    job_id: str | None
    fields: dict[str, Any]


def show_job(job: Job) -> JobModel:
    """A job for output."""
    return JobModel(
        id=job.id,
        state="unknown" if job.state is None else job.state.value,
        progress=job.progress,
        data=job.data,
        returnvalue=job.returnvalue,
        attempts_made=job.attempts_made,
        failed_reason=job.failed_reason,
        queue=job.queue,
        name=job.name,
        kind=job.kind,
        failure_kind=job.failure_kind,
        attempts_started=job.attempts_started,
        stalled_count=job.stalled_count,
        stacktrace=list(job.stacktrace),
        timestamp=moment_of(job.timestamp),
        processed_on=moment_of(job.processed_on),
        finished_on=moment_of(job.finished_on),
        delay=job.delay,
        priority=job.priority,
        opts=dict(job.opts.raw),
        parent=job.parent_key,
        deduplication_id=job.deduplication_id,
        schedule_id=job.repeat_key,
        processed_by=job.processed_by,
        malformed=dict(job.malformed),
        digest=_digest_of(job.data),
    )


def _digest_of(data: Any) -> str:
    """Of what is shown only: a secret could be guessed from its digest."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:32]


def show_event(event: Event, fields: dict[str, Any]) -> EventModel:
    """An event for output, with its fields as they may be shown."""
    if "deduplicatedJobId" in fields:
        fields["deduplicatedJobId"] = decode_job_id(fields["deduplicatedJobId"])
    return EventModel(
        id=event.id,
        event=event.name,
        queue=event.queue,
        timestamp=event.timestamp_ms,
        job_id=event.job_id,
        fields=fields,
    )
