"""Cron jobs in the database: list, read, create, change, delete, and what a program declares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final, Unpack

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from corral.client.ids import new_job_id
from corral.contracts.arguments import whole
from corral.errors import (
    CronJobChanged,
    CronJobGone,
    CronJobTaken,
    FieldProblem,
    InvalidCronJob,
)
from corral.store.cron_job import FIELDS, JSON_NAMES, CronJob, CronJobChanges, StoredCronJob, legible_values
from corral.store.cron_job_rules import check, completed, problems_of
from corral.store.database import Database
from corral.store.declarations import declare, declared_of, edited_of, give_back, revision_of
from corral.store.known_tasks import KnownTasks, Source
from corral.store.tables import CronJobRow
from corral.store.texts import storable

__all__ = ["CronJobPage", "CronJobs"]

MOST_LISTED: Final = 200
DECLARING_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class CronJobPage:
    """Cron jobs in the order of their job ids. ``after``: what to ask for next; None at the end."""

    cron_jobs: Sequence[StoredCronJob]
    after: str | None


def _now() -> datetime:
    return datetime.now(UTC)


class CronJobs:
    """The cron jobs in a database. Workers with `DatabaseSchedules` register them, and follow what is changed here.

    Every verb raises `DatabaseUnavailable` or `DatabaseOutdated`.

    Args:
        tasks: the task sets and queues whose tasks cron jobs may be for: handlers and payloads are checked against
            them. Of a queue that none of them has, any handler is taken.
    """

    def __init__(self, database: Database, *tasks: Source, clock: Callable[[], datetime] = _now) -> None:
        self.database = database
        self.tasks = KnownTasks(*tasks)
        self._clock = clock

    # --- reading ----------------------------------------------------------------------------------------

    async def list(self, *, after: str | None = None, limit: int = 50) -> CronJobPage:
        """A page of the cron jobs, at most 200: those behind the job id ``after``, which a page before gave."""
        count = max(1, min(whole("limit", limit), MOST_LISTED))
        query = select(CronJobRow).where(CronJobRow.deleted_at.is_(None))
        if after is not None:
            if not storable(after):
                return CronJobPage([], None)
            query = query.where(CronJobRow.job_id > after)
        async with self.database.reading() as session:
            rows = list(await session.scalars(query.order_by(CronJobRow.job_id).limit(count + 1)))
        shown = rows[:count]
        return CronJobPage(
            [self.stored(row) for row in shown], shown[-1].job_id if len(rows) > count else None
        )

    async def get(self, cron_job_id: str) -> StoredCronJob | None:
        """One cron job by its `id`, or None."""
        async with self.database.reading() as session:
            row = await _row(session, cron_job_id)
        return None if row is None else self.stored(row)

    async def find(self, job_id: str) -> StoredCronJob | None:
        """One cron job by its `job_id`, or None."""
        if not storable(job_id):
            return None
        query = select(CronJobRow).where(CronJobRow.job_id == job_id, CronJobRow.deleted_at.is_(None))
        async with self.database.reading() as session:
            row = await session.scalar(query)
        return None if row is None else self.stored(row)

    def stored(self, row: CronJobRow) -> StoredCronJob:
        """A row as a value, with what is wrong with it."""
        problems = self.problems(row)
        edited = edited_of(row) if row.declared_as is not None else []
        return StoredCronJob(
            **legible_values({name: getattr(row, name) for name in FIELDS}),
            id=str(row.id),
            created_at=row.created_at,
            updated_at=row.updated_at,
            revision=revision_of(row),
            owner="code" if row.declared_as is not None and not edited else "operator",
            declared=row.declared_as is not None,
            edited=tuple(JSON_NAMES[name] for name in edited),
            problem="; ".join(map(str, problems)) or (None if row.problem is None else str(row.problem)),
        )

    def problems(self, row: CronJobRow) -> Sequence[FieldProblem]:
        """What is wrong with a row; nothing, if it can be registered."""
        return problems_of(CronJob(**{name: getattr(row, name) for name in FIELDS}), self.tasks)

    # --- changing ---------------------------------------------------------------------------------------

    async def create(self, cron_job: CronJob) -> StoredCronJob:
        """Store a new cron job, as an operator's. Raises `InvalidCronJob` or `CronJobTaken`; then nothing is stored."""
        wanted = completed(cron_job, self.tasks)
        check(wanted, self.tasks)
        now = self._clock()
        values = {name: getattr(wanted, name) for name in FIELDS}
        row = CronJobRow(**values, id=new_job_id(), created_at=now, updated_at=now, revision=1)
        try:
            async with self.database.writing() as session:
                session.add(row)
        except IntegrityError:
            raise CronJobTaken(wanted.job_id) from None
        return self.stored(row)

    async def update(
        self, cron_job_id: str, /, *, revision: int | None = None, **changes: Unpack[CronJobChanges]
    ) -> StoredCronJob:
        """Change some fields, as an operator: of one that the program declares, those that are new stay as set here,
        whatever it declares later.

        Args:
            revision: only if this is the latest; None: in any case.

        Raises:
            CronJobGone: there is none with this `id`.
            CronJobChanged: another revision is the latest.
            InvalidCronJob: what it would be then is not valid.
            CronJobTaken: another one has this `job_id`.
        """
        _refuse_unknown(cron_job_id, changes)
        job_id = cron_job_id
        try:
            async with self.database.writing() as session:
                row = await _present(session, cron_job_id, revision)
                before = CronJob(**{name: getattr(row, name) for name in FIELDS})
                wanted = completed(replace(before, **changes), self.tasks)
                job_id = wanted.job_id
                check(wanted, self.tasks)
                for name in FIELDS:
                    setattr(row, name, getattr(wanted, name))
                changed = {name for name in FIELDS if getattr(wanted, name) != getattr(before, name)}
                if changed:
                    edited = {*changed, *edited_of(row)}
                    row.edited = [name for name in FIELDS if name in edited]
                    self._touch(row)
        except IntegrityError:
            raise CronJobTaken(job_id) from None
        return self.stored(row)

    async def delete(self, cron_job_id: str, *, revision: int | None = None) -> None:
        """Delete a cron job: no further job is made of it. One that the program declares does not come back with the
        next deploy. Raises `CronJobGone` and `CronJobChanged`."""
        async with self.database.writing() as session:
            row = await _present(session, cron_job_id, revision)
            if row.declared_as is None:
                await session.delete(row)
            else:
                row.deleted_at = self._clock()
                row.job_id = row.id  # so that its job id is free
                self._touch(row)

    async def give_back(self, cron_job_id: str) -> StoredCronJob:
        """Let a declared cron job be what the program declared last: what operators set is forgotten. Raises
        `CronJobGone`, also for one that is not declared, and `CronJobTaken`."""
        wanted = ""
        try:
            async with self.database.writing() as session:
                row = await _present(session, cron_job_id, None)
                if declared_of(row) is None:
                    raise CronJobGone(cron_job_id)
                give_back(row)
                self._touch(row)
                wanted = row.job_id
        except IntegrityError:
            raise CronJobTaken(wanted) from None
        return self.stored(row)

    async def declare(self, *cron_jobs: CronJob) -> None:
        """Store what the program declares: cron jobs that are not there are made, others follow it, but for the fields
        that an operator has set. One that the program declares no longer stays until it is deleted.

        Raises `InvalidCronJob`, also for two with one job id; then nothing is stored.
        """
        wanted = [completed(cron_job, self.tasks) for cron_job in cron_jobs]
        for number, cron_job in enumerate(wanted):
            check(cron_job, self.tasks)
            if cron_job.job_id in {other.job_id for other in wanted[:number]}:
                raise InvalidCronJob(cron_job.job_id, [FieldProblem("jobId", "it is declared twice")])
        for attempt in range(1, DECLARING_TRIES + 1):
            try:
                async with self.database.writing() as session:
                    # In one order for all: two programs may declare the same in different ones.
                    for cron_job in sorted(wanted, key=attrgetter("job_id")):
                        await declare(session, cron_job, self._clock())
                return
            except IntegrityError:  # another worker declares the same in this moment
                if attempt == DECLARING_TRIES:
                    raise

    def _touch(self, row: CronJobRow) -> None:
        row.revision = revision_of(row) + 1
        row.updated_at = self._clock()
        row.problem = None


async def _row(session: AsyncSession, cron_job_id: str, *, lock: bool = False) -> CronJobRow | None:
    if not storable(cron_job_id):
        return None
    row = await session.get(CronJobRow, cron_job_id, with_for_update=lock)
    return None if row is None or row.deleted_at is not None else row


async def _present(session: AsyncSession, cron_job_id: str, revision: int | None) -> CronJobRow:
    row = await _row(session, cron_job_id, lock=True)
    if row is None:
        raise CronJobGone(cron_job_id)
    if revision is not None and revision_of(row) != revision:
        raise CronJobChanged(row.job_id, revision, revision_of(row))
    return row


def _refuse_unknown(cron_job_id: str, changes: CronJobChanges) -> None:
    unknown = [name for name in changes if name not in FIELDS]
    if unknown:
        reason = f"there is no such field; those are {', '.join(FIELDS)}"
        raise InvalidCronJob(cron_job_id, [FieldProblem(name, reason) for name in unknown])
