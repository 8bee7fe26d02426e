"""What an outbox gives: a job that does not exist yet."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["OutboxReceipt"]


@dataclass(frozen=True, slots=True)
class OutboxReceipt:
    """A job that will be added once the caller's transaction is committed, and never if it is rolled back.

    There is no result to wait for: before the commit nothing runs. After it
    ``client.queue(receipt.queue).job(receipt.job_id)`` refers to the job.

    With `Deduplication` there may never be a job of this id: which jobs are one is known when they are moved, and what
    a client says at once, the id of the job that is there already, nobody can say here.
    """

    queue: str
    job_id: str
