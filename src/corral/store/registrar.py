"""The registrar: makes the schedules that the table of cron jobs asks for, and removes those that it does not."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from corral.admin.schedules import SchedulesAdmin
from corral.contracts.secret import masked_text
from corral.engine.faults import ResponseError, is_wrong_type
from corral.engine.recur_rules import store_schedule
from corral.engine.server import Server
from corral.errors import InvalidInput, ScheduleTaken, ServerRefused
from corral.logs import get_logger
from corral.store.cron_jobs import CronJobs
from corral.store.cron_requests import schedule_request
from corral.store.tables import CronJobRow, RegistrationRow

__all__ = ["Registrar"]

log = get_logger("cron-jobs")

LONGEST_PROBLEM: Final = 1000
NOTING_TRIES: Final = 5


class _Place(NamedTuple):
    """Where a schedule is."""

    queue: str
    job_id: str


class _Version(NamedTuple):
    """Tells one state of a row from another."""

    revision: int
    updated_at: datetime


class _Wanted(NamedTuple):
    """A row as far as a pass needs it."""

    id: str
    place: _Place
    enabled: bool
    version: _Version


class Registrar:
    """Registers cron jobs as schedules of one server. Any number of them may work on one database.

    A *registration* is written before its schedule is made and deleted after it is removed. So whatever happens between
    (also that a row is renamed or deleted while no worker runs) the next pass knows every schedule that may be there.
    Who makes or removes a schedule holds its registration locked and reads the row anew: what was committed last wins,
    whoever comes last. Only schedules that carry the mark of a cron job are removed.
    """

    def __init__(self, cron_jobs: CronJobs, server: Server) -> None:
        self._cron_jobs = cron_jobs
        self._database = cron_jobs.database
        self._tasks = cron_jobs.tasks
        self._server = server
        self._made: dict[str, _Version] = {}
        self._settled: dict[str, _Version] | None = None

    def forget(self) -> None:
        """Let the next pass look at everything, changed or not."""
        self._made, self._settled = {}, None

    async def register(self, only: str | None = None) -> None:
        """One pass over what has changed since the last. Costs one query where nothing has.

        With `only` the id of one row, schedules that nothing asks for go, and none is made but that row's, if the
        tasks of its queue are known here: another program may know newer ones of the others.

        A cron job that cannot be registered is logged, and its row says why; the others go on. Raises
        `DatabaseUnavailable`, `DatabaseOutdated` or a `ServerError`; what was not done then is done by the next pass.
        """
        rows = await self._rows()
        versions = {row.id: row.version for row in rows}
        if versions == self._settled:
            return
        wanted = {row.place: row for row in rows if row.enabled}
        served = [row for row in wanted.values() if self._serves(row.place.queue)]
        if only is not None:
            served = [row for row in served if row.id == only and self._tasks.queues]
        for place in await self._noted(row.place for row in served):
            if place not in wanted:
                await self._remove(place)
        await self._make_all(served)
        if only is None and all(self._made.get(row.id) == row.version for row in served):
            self._settled = versions

    def _serves(self, queue: str) -> bool:
        """Whoever knows tasks makes the schedules of their queues, and others know better about the rest."""
        return not self._tasks.queues or queue in self._tasks.queues

    async def _rows(self) -> list[_Wanted]:
        columns = (
            CronJobRow.id, CronJobRow.queue, CronJobRow.job_id, CronJobRow.enabled, CronJobRow.revision,
            CronJobRow.updated_at,
        )  # fmt: skip
        async with self._database.reading() as session:
            found = await session.execute(select(*columns).where(CronJobRow.deleted_at.is_(None)))
            return [
                _Wanted(row[0], _Place(row[1], row[2]), row[3] is True, _Version(row[4], row[5]))
                for row in found
            ]

    async def _noted(self, places: Iterable[_Place]) -> set[_Place]:
        """All registrations, those of these places among them."""
        needed, known = set(places), set[_Place]()
        for _ in range(NOTING_TRIES):
            known = await self._registrations()
            if needed <= known:
                break
            # Another registrar may note the same in this moment: then this one looks again.
            with suppress(IntegrityError):
                async with self._database.writing() as session:
                    # In one order for all: else two that note the same could wait for each other in a circle.
                    for place in sorted(needed - known):
                        session.add(RegistrationRow(**place._asdict()))
        return known

    async def _registrations(self) -> set[_Place]:
        async with self._database.reading() as session:
            found = await session.execute(select(RegistrationRow.queue, RegistrationRow.job_id))
            return {_Place(*row) for row in found}

    async def _make_all(self, served: Iterable[_Wanted]) -> None:
        refused: ServerRefused | None = None
        for row in served:
            try:
                if self._made.get(row.id) != row.version and await self._make(row.place):
                    self._made[row.id] = row.version
            except ServerRefused as error:  # perhaps for its queue alone: the others have their turn
                refused = refused or error
        if refused is not None:
            raise refused

    async def _make(self, place: _Place) -> bool:
        """Make or change the schedule of the row that is at this place now. False when there is none any more."""
        async with self._database.writing() as session:
            row = await _row_at(session, place) if await _locked(session, place) else None
            if row is None:
                return False
            problem = await self._problem_of(row)
            if row.problem != problem:
                row.problem = problem
            return True

    async def _problem_of(self, row: CronJobRow) -> str | None:
        """Make the schedule; or say why that cannot be."""
        problem = "; ".join(map(str, self._cron_jobs.problems(row)))
        if not problem:
            try:
                request = schedule_request(self._cron_jobs.stored(row), self._tasks)
                await store_schedule(self._server, self._server.keys(request.queue), request)
                return None
            except (InvalidInput, ScheduleTaken) as error:
                problem = str(error)
            except ResponseError as error:
                if not is_wrong_type(error):
                    raise
                problem = f"the queue is damaged: {error}"
        log.warning("Cron job cannot be registered", cron_job=row.job_id, problem=masked_text(problem))
        return problem[:LONGEST_PROBLEM]

    async def _remove(self, place: _Place) -> None:
        """Remove the schedule of a place that no row asks for any more."""
        async with self._database.writing() as session:
            registration = await _locked(session, place)
            if registration is None or await _row_at(session, place) is not None:
                return
            try:
                schedules = SchedulesAdmin(self._server, place.queue)
                found = await schedules.get(place.job_id)
                if found is not None and found.opts.cron_job is not None:
                    await schedules.remove(place.job_id)
            except InvalidInput:
                pass  # somebody spoilt the row: nothing can have been made of it
            except ResponseError as error:
                if not is_wrong_type(error):
                    raise
                # The registration stays, so that the schedule goes when the queue can be read again.
                log.warning(
                    "A schedule cannot be removed: its queue is damaged", queue=place.queue, err=str(error)
                )
                return
            await session.delete(registration)


async def _locked(session: AsyncSession, place: _Place) -> RegistrationRow | None:
    return await session.get(RegistrationRow, tuple(place), with_for_update=True)


async def _row_at(session: AsyncSession, place: _Place) -> CronJobRow | None:
    """The row that asks for a schedule at this place."""
    rules = (CronJobRow.queue == place.queue, CronJobRow.job_id == place.job_id, CronJobRow.enabled)
    row: CronJobRow | None = await session.scalar(
        select(CronJobRow).where(*rules, CronJobRow.deleted_at.is_(None))
    )
    return row
