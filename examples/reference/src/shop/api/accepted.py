"""The answer to what was accepted, and is not done yet."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel

from corral import JobHandle, OutboxReceipt

__all__ = ["Accepted", "JobRef"]


class JobRef(BaseModel):
    """A job that will run."""

    queue: str
    job_id: str


class Accepted(BaseModel):
    """The thing that was made or changed, and the jobs that follow."""

    id: str
    jobs: list[JobRef]

    @classmethod
    def of(cls, id: str, *jobs: OutboxReceipt | JobHandle[Any]) -> Self:
        """For what an endpoint has enqueued: with the outbox, or with the client."""
        return cls(id=id, jobs=[JobRef(queue=job.queue, job_id=_id_of(job)) for job in jobs])


def _id_of(job: OutboxReceipt | JobHandle[Any]) -> str:
    return job.job_id if isinstance(job, OutboxReceipt) else job.id
