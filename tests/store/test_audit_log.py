"""The audit log: one entry for each job, read in pages, removed by age; and nothing else."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from corral.store.audit_log import AuditEntry, AuditLog
from corral.store.database import Database

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def entry(**fields: Any) -> AuditEntry:
    """Somebody did something."""
    given: dict[str, Any] = {
        "at": NOON, "org": "acme", "actor": "ada", "actor_type": "user", "action": "order.paid",
        "resource_type": "order", "resource_id": "17", "detail": {"ü": [1]},
    }  # fmt: skip
    return AuditEntry(**given | fields)


@pytest.fixture
def log(database: Database) -> AuditLog:
    """A log."""
    return AuditLog(database)


async def test_all_is_kept(log: AuditLog) -> None:
    """What was recorded is read again, with the job that brought it."""
    assert await log.record(entry(), job="audit:1")
    (kept,) = (await log.page("acme")).entries
    assert (kept.at, kept.job, kept.actor_type, kept.detail) == (NOON, "audit:1", "user", {"ü": [1]})


async def test_a_job_brings_one_entry(log: AuditLog) -> None:
    """However often it runs, also at the same time; an id that is used again later is another job."""
    done = await asyncio.gather(*(log.record(entry(), job="audit:1") for _ in range(5)))
    assert sorted(done) == [False] * 4 + [True]
    assert await log.record(entry(at=NOON + timedelta(days=1)), job="audit:1")
    assert len((await log.page("acme")).entries) == 2


async def test_pages_and_filters(log: AuditLog) -> None:
    """The newest first, each once; only those of the organisation, and with exactly what is asked for."""
    for number in range(5):
        await log.record(entry(resource_id=str(number)), job=f"audit:{number}")
    await log.record(entry(org="other"), job="audit:o")
    await log.record(entry(actor="bob"), job="audit:b")
    found, before = list[str](), None
    while True:
        page = await log.page("acme", actor="ada", limit=2, before=before)
        found += [one.resource_id for one in page.entries]
        if (before := page.before) is None:
            break
    assert found == ["4", "3", "2", "1", "0"]
    assert [one.actor for one in (await log.page("acme", actor="bob")).entries] == ["bob"]
    assert not (await log.page("acme", action="\x00")).entries


async def test_the_longest_names_are_found(log: AuditLog) -> None:
    """A resource's id has at most 500 characters, of any script."""
    longest = "\U0001f3ab" * 500
    await log.record(entry(resource_id=longest), job="audit:1")
    assert len((await log.page("acme", resource_id=longest)).entries) == 1


async def test_what_is_wrong_is_not_taken_for_a_repeat(log: AuditLog) -> None:
    """Only the same job and time are one: what else the database refuses is raised."""
    with pytest.raises(IntegrityError):
        await log.record(entry(actor=None), job="audit:1")


async def test_old_entries_go(log: AuditLog) -> None:
    """Those of more than the age, and no other."""
    now = datetime.now(UTC)
    for days in (1, 40, 50, 60):
        await log.record(entry(at=now - timedelta(days=days)), job=f"audit:{days}")
    assert await log.remove_older(timedelta(days=30)) == 3
    assert [one.job for one in (await log.page("acme")).entries] == ["audit:1"]
