"""What happened to a job, one moment after the other, as far as it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.dashboard.formats import milliseconds, seconds_between

__all__ = ["Moment", "story_of"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. BullMQ keeps no time of the attempts before the last."""

    kind: str
    text: str
    time: datetime | None = None
    detail: str = ""


def story_of(job: Job) -> list[Moment]:
    """The story, the oldest first."""
    story = [Moment("added", "added" + _by_schedule(job), job.timestamp)]
    if job.delay and job.timestamp is not None and job.state is JobState.DELAYED:
        story.append(Moment("delayed", "due", job.timestamp + timedelta(milliseconds=job.delay)))
    for number, stack in enumerate(job.stacktrace, 1):
        story.append(Moment("failed", f"attempt {number} of {job.opts.attempts} failed", None, stack))
    if job.stalled_count:
        story.append(Moment("failed", f"came back {job.stalled_count} times from workers that were gone"))
    if job.processed_on is not None:
        worker = f" by {job.processed_by}" if job.processed_by else ""
        story.append(Moment("active", f"start {job.attempts_started}{worker}", job.processed_on))
    if job.finished_on is not None:
        ran = milliseconds(seconds_between(job.processed_on, job.finished_on))
        how = "failed for good" if job.state is JobState.FAILED else "completed"
        story.append(Moment(str(job.state), f"{how}, {ran} after its last start", job.finished_on))
    elif job.state is JobState.ACTIVE:
        story.append(Moment("active", "runs"))
    return story


def _by_schedule(job: Job) -> str:
    return f" by schedule {job.repeat_key}" if job.repeat_key else ""
