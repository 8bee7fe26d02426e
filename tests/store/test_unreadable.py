"""SQLite keeps any text in any column: a row that somebody has spoilt by hand is reported, and hides no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from corral import Admin, CronJobGone, CronJobTaken
from corral.store.cron_job import CronJob
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.operator_log import OperatorLog
from corral.store.registrar import Registrar
from corral.store.roles import Role
from corral.store.tables import CronJobRow
from corral.store.tokens import Tokens
from corral.store.unreadable import NO_TIME, Unreadable, read_json, read_time
from tests.store.tasks import MailTasks

NIGHTLY = CronJob(
    job_id="nightly", pattern="0 3 * * *", handler="mail.digest", payload={"to": "ada"}, queue="mail"
)
JUNK = (
    "'not json'",
    "''",
    "x'ff00ff'",
    "'[[1]]'",
    "'[\"nonsense\"]'",
    "'{\"id\": 7}'",
    "1e300",
    "'yesterday'",
)
SPOILT = [column.name for column in CronJobRow.__table__.columns if column.name not in ("id", "job_id")]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """SQLite: PostgreSQL takes nothing of it."""
    return f"sqlite:///{tmp_path}/corral.db"


@pytest.mark.parametrize("column", SPOILT)
async def test_a_spoilt_row_hides_no_other(database: Database, admin: Admin, column: str) -> None:
    """Whatever stands in any column of it, declared or not: all rows are listed, the sound ones run, what the program
    declares is stored, and an operator can set the spoilt one right or delete it."""
    cron_jobs = CronJobs(database, MailTasks)
    made = [replace(NIGHTLY, job_id=f"made-{number}") for number in range(len(JUNK))]
    declared = [replace(NIGHTLY, job_id=f"declared-{number}") for number in range(len(JUNK))]
    for cron_job in (NIGHTLY, *made):
        await cron_jobs.create(cron_job)
    await cron_jobs.declare(*declared)
    async with database.writing() as session:
        for number, junk in enumerate(JUNK):
            unique = f"{junk} || job_id" if column == "declared_as" else junk
            await session.execute(
                text(f"UPDATE corral_cron_jobs SET {column} = {unique} WHERE job_id LIKE '%-{number}'")
            )
    await Registrar(cron_jobs, admin.server).register()
    assert "nightly" in {found.id for found in await admin.queue("mail").schedules.list(limit=100)}
    await cron_jobs.declare(*(replace(one, pattern="@daily") for one in declared))
    listed = (await cron_jobs.list()).cron_jobs
    assert len(listed) == (1 if column == "deleted_at" else 1 + 2 * len(JUNK))
    for one in listed:
        assert type(one.enabled) is bool
        assert {type(one.max_attempts), type(one.backoff_ms), type(one.revision)} == {int}
        mended = replace(NIGHTLY, job_id=one.job_id)
        await cron_jobs.update(one.id, **{name: getattr(mended, name) for name in MENDED})
        try:
            await cron_jobs.give_back(one.id)
        except (CronJobGone, CronJobTaken):
            assert column in ("declared", "declared_as") or not one.declared
        await cron_jobs.delete(one.id)
    await Registrar(cron_jobs, admin.server).register()
    assert await admin.queue("mail").schedules.list() == []


MENDED = ("pattern", "handler", "queue", "name", "payload", "enabled", "max_attempts", "backoff_ms", "tz")


@pytest.mark.parametrize("payload", ["'not json'", "''", "x'ff00ff'"])
async def test_a_payload_that_is_no_json_is_none(database: Database, admin: Admin, payload: str) -> None:
    """Also where no task says what it ought to be: the row says so, and nothing runs with the text instead."""
    cron_jobs = CronJobs(database)
    row = await cron_jobs.create(replace(NIGHTLY, queue="theirs", handler="x"))
    async with database.writing() as session:
        await session.execute(text(f"UPDATE corral_cron_jobs SET payload = {payload}"))
    await Registrar(cron_jobs, admin.server).register()
    assert await admin.queue("theirs").schedules.list() == []
    assert "not JSON" in str((await cron_jobs.get(row.id) or row).problem)


async def test_who_knows_what_a_role_allows(database: Database) -> None:
    """A token with a role that is none, or times that are none, opens nothing; an entry of the log is read without."""
    tokens = Tokens(database)
    opening = await tokens.create("ann", Role.ADMIN)
    await OperatorLog(database).write("ann", "x", "y", role=Role.ADMIN)
    async with database.writing() as session:
        await session.execute(text("UPDATE corral_operator_log SET role = 'king', at = 'now'"))
    [entry] = (await OperatorLog(database).page()).entries
    assert (entry.role, entry.at) == (None, NO_TIME)
    for spoilt, mended in (
        ("role = 'king'", "role = 'admin'"),
        ("expires_at = 'never'", "expires_at = NULL"),
    ):
        for change, known in ((spoilt, False), (mended, True)):
            async with database.writing() as session:
                await session.execute(text(f"UPDATE corral_tokens SET {change}"))
            assert (await tokens.verify(opening) is not None) is known
            await tokens.list()


def test_times_of_every_kind() -> None:
    """As SQLite's own functions write them, with and without a zone; what is none is before all others."""
    noon = datetime(2026, 5, 4, 12, tzinfo=UTC)
    for stored in ("2026-05-04 12:00:00", "2026-05-04 12:00:00.000000", "2026-05-04T14:00:00+02:00"):
        assert read_time(stored) == noon
    for broken in ("", "yesterday", 7, b"\xff", "0001-01-01T00:00:00+05:00"):
        assert read_time(broken) == NO_TIME


def test_json_of_every_kind() -> None:
    """What is none stays as it was written."""
    assert read_json('{"a": [1]}') == {"a": [1]}
    for stored in ("{", "", "[" * 100_000):
        found = read_json(stored)
        assert isinstance(found, Unreadable)
        assert found == stored
