"""The audit log by way of a queue."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from corral import Admin, Client, Worker
from corral.store.audit_log import AuditLog
from corral.store.database import Database
from corral.tasks.audit import Audited, Auditor, AuditTasks


async def test_what_is_done_is_written_once(client: Client, admin: Admin, database: Database) -> None:
    """An entry has the time of the call; a job that runs again adds none."""
    log = AuditLog(database)
    done = Audited(org="acme", actor="key-7", actor_type="api_key", action="order.paid", metadata={"sum": 3})
    async with Worker(Auditor(log).tasks(), client=client):
        job = await AuditTasks.record.enqueue(client, done)
        await job.result(timeout=10)
        await admin.queue("audit").jobs.retry(job.id)
        await job.result(timeout=10)
    (kept,) = (await log.page("acme")).entries
    assert (kept.at, kept.actor, kept.actor_type, kept.detail) == (done.at, "key-7", "api_key", {"sum": 3})
    assert kept.job == f"audit:{job.id}"


@pytest.mark.parametrize(
    "changes",
    [
        {"actor_type": "robot"},
        {"actor": "a" * 201},
        {"org": "\x00"},
        {"at": "2026-01-01T00:00:00"},
        {"at": "0001-01-01T00:00:00+02:00"},
        {"at": "9999-12-31T23:00:00-02:00"},
    ],
)
def test_what_no_entry_can_be_is_refused(changes: dict[str, str]) -> None:
    """When it is enqueued: another type of actor, text that no column holds, a time without a zone, or that UTC
    does not have."""
    with pytest.raises(ValidationError):
        Audited.model_validate({"org": "acme", "actor": "ada", "action": "x"} | changes)
