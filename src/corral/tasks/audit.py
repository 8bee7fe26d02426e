"""Audit: what was done in the product is enqueued where it is done, and written by a worker.

::

    await AuditTasks.record.enqueue(client, Audited(org="acme", actor="ada", action="order.paid", …))
    Worker(Auditor(AuditLog(database)).tasks())
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, StringConstraints

from corral import Context, Exponential, Task, TaskSet, task
from corral.store.audit_log import ActorType, AuditEntry, AuditLog
from corral.store.texts import legible

__all__ = ["AuditTasks", "Audited", "Auditor"]

Text = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]


def _now() -> datetime:
    return datetime.now(UTC)


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC this is before the year 1 or after 9999") from None


class Audited(BaseModel):
    """Who did what to what. The time is that of the call, not of the worker."""

    org: Text
    actor: Text
    actor_type: ActorType = "user"
    action: Text
    resource_type: Text = ""
    resource_id: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")] = ""
    metadata: dict[str, Any] = Field(default_factory=dict)
    at: Annotated[AwareDatetime, AfterValidator(_in_utc)] = Field(default_factory=_now)


class AuditTasks(TaskSet, queue="audit", attempts=20, backoff=Exponential(1, jitter=0.2)):
    """The audit log. Many attempts: an entry is not to be lost because the database is away for some minutes."""

    record: Task[Audited, None] = task("audit.record")


class Auditor:
    """Writes entries, one for each job, however often it runs."""

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def tasks(self) -> AuditTasks:
        """The task set with its handler, for a worker."""
        return AuditTasks(record=self.record)

    async def record(self, audited: Audited, ctx: Context) -> None:
        """Keep an entry."""
        fields = audited.model_dump(exclude={"metadata"})
        await self._log.record(
            AuditEntry(detail=audited.metadata, **fields), job=legible(f"{ctx.queue}:{ctx.job_id}", 500)
        )
