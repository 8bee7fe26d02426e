"""Schedules from a database: what a worker is given to run cron jobs, and what operators do with one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from corral.client.client import Client
from corral.contracts.arguments import whole
from corral.contracts.duration import Duration, instant, milliseconds
from corral.contracts.handle import JobHandle
from corral.contracts.job import Job
from corral.engine.browse_beginning import find_by_beginning
from corral.errors import InvalidOption, ServerError, StoreError
from corral.logs import get_logger
from corral.store.cron_job import CronJob, StoredCronJob
from corral.store.cron_job_rules import check
from corral.store.cron_jobs import CronJobs
from corral.store.cron_requests import job_id_beginnings, trigger_request
from corral.store.database import Database
from corral.store.follower import Follower
from corral.store.known_tasks import Source
from corral.store.registrar import Registrar

__all__ = ["CronHistory", "DatabaseSchedules"]

log = get_logger("cron-jobs")

MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class CronHistory:
    """Jobs of a cron job: those that run or wait first, then the latest to end."""

    jobs: Sequence[Job]
    since: datetime | None
    """Of jobs that ended before this time some may be missing. None: all that are kept were looked at."""


class DatabaseSchedules:
    """Runs the cron jobs of a database: a worker's ``lifespan``.

    ::

        schedules = DatabaseSchedules(Database(), EmailTasks, declared=[CronJob.of(EmailTasks.digest, …, "0 9 * * *")])
        worker = Worker(EmailTasks(digest=send_digest), lifespan=schedules)

    When the worker starts, the tables are made or brought up to date, what the program declares is stored, and every
    enabled cron job is registered as a schedule whose id is the job id, so that any number of workers may do so. From
    then on the worker follows what is changed. Where the database is away it works all the same, and follows again
    later: the schedules are in Redis.

    Args:
        tasks: the task sets and queues whose cron jobs to register, with the options of their tasks; without any, all
            cron jobs, of whatever queue.
        declared: what the program declares.
        client: for `register`, `trigger` and `history`. A worker follows with its own.
        migrate: make the tables, or bring them up to date, when a worker starts.
        interval: between two looks at what has changed; 5 seconds by default.
    """

    def __init__(
        self,
        database: Database,
        *tasks: Source,
        declared: Sequence[CronJob] = (),
        client: Client | None = None,
        migrate: bool = True,
        interval: Duration = 5.0,
    ) -> None:
        self.cron_jobs = CronJobs(database, *tasks)
        """The table, for these tasks."""
        self._database = database
        self._declared = tuple(declared)
        self._client = client
        self._migrate = migrate
        self._interval = milliseconds("interval", interval) / 1000

    @asynccontextmanager
    async def __call__(self, client: Client) -> AsyncIterator[None]:
        """Register the cron jobs, and follow what is changed inside of the block: called by the worker. Closes the
        database's connections at the end.

        Raises `InvalidCronJob` for what the program declares.
        """
        registrar = Registrar(self.cron_jobs, client.server)
        try:
            async with Follower(registrar, self._prepare, self._interval).following():
                yield
        finally:
            await self._database.close()

    async def _prepare(self) -> None:
        if self._migrate:
            await self._database.migrate()
        await self.cron_jobs.declare(*self._declared)

    async def register(self) -> None:
        """Register now what has changed since this was called last, instead of with the next look of a worker.

        Raises `DatabaseUnavailable`, `DatabaseOutdated` or a `ServerError`.
        """
        await self._registrar.register()

    async def take_up(self, cron_job_id: str) -> None:
        """Let a change of one cron job hold at once: its schedule goes, or is made if its task is known here. All else,
        and all of it where database or server are away, is done with the next look of a worker."""
        try:
            await self._registrar.register(only=cron_job_id)
        except (StoreError, ServerError) as error:
            log.warning("A cron job is left for workers to register", id=cron_job_id, reason=str(error))

    async def trigger(self, cron_job: StoredCronJob) -> JobHandle[Any]:
        """Enqueue a job of a cron job now, enabled or not: with its payload, attempts and backoff, an id of its own,
        and the kind `cronTrigger`. The schedule goes on as before.

        Raises `InvalidCronJob` for one that has a problem, and what `enqueue` raises.
        """
        check(cron_job, self.cron_jobs.tasks)
        return await self._connected.submit(trigger_request(cron_job, self.cron_jobs.tasks))

    async def history(self, cron_job: CronJob, *, limit: int = 20) -> CronHistory:
        """Its jobs, scheduled and triggered ones, at most 200. The pending one, for the next run, is not among them.

        They are found by their ids, among the latest 1,000 completed and failed jobs of the queue and the first 1,000
        that run or wait: `since` says where that ends. Jobs under a job id that it had before are not found.
        """
        count = max(1, min(whole("limit", limit), MOST_LISTED))
        server = self._connected.server
        keys, beginnings = server.keys(cron_job.queue), job_id_beginnings(cron_job)
        found = await server.patiently(lambda: find_by_beginning(server, keys, beginnings, limit=count + 1))
        jobs = [job for job in found.jobs if not _is_pending(job)][:count]
        return CronHistory(jobs, None if found.since is None else instant(found.since))

    @cached_property
    def _registrar(self) -> Registrar:
        return Registrar(self.cron_jobs, self._connected.server)

    @property
    def _connected(self) -> Client:
        if self._client is None:
            raise InvalidOption("client", None, "give one: DatabaseSchedules(…, client=client)")
        return self._client


def _is_pending(job: Job) -> bool:
    return job.kind == "cron" and job.state == "delayed" and job.attempts_started == 0
