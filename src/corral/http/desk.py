"""The desk: what all routes work with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Request

from corral.admin.admin import Admin
from corral.admin.queue import QueueAdmin
from corral.admin.queue_names import QueueNames
from corral.client.client import Client
from corral.client.event_feed import EventFeed
from corral.contracts.duration import Duration
from corral.contracts.event import Event
from corral.contracts.job import Job
from corral.errors import InvalidQueueName
from corral.http.access import Principal, ThePrincipal
from corral.http.action import Action, Operator
from corral.http.catalogue import Catalogue
from corral.http.job_model import EventModel, JobModel, show_event, show_job
from corral.http.paths import JobId, QueueName
from corral.http.problem import Problem
from corral.http.redactor import Redactor
from corral.http.refused import Refused
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.known_tasks import Source
from corral.store.operator_log import OperatorLog
from corral.store.schedules import DatabaseSchedules

__all__ = [
    "LOG_KEPT",
    "Desk",
    "TheCronJobs",
    "TheCronSchedules",
    "TheDesk",
    "TheJob",
    "TheOperatorLog",
    "TheQueue",
    "may",
]

LOG_KEPT: Final = timedelta(days=365)
"""How long entries of the operator log are kept where nothing else is said."""


class Desk:
    """The admin, a client for adding jobs and reading flows, the tasks that are known, and the shared event readers of
    one API. Nothing is opened before it is needed.

    Args:
        admin: of the server to look after. It stays open.
        client: of the same server. One of its own is made, and closed, when there is none.
        tasks: what is known of the queues' tasks.
        database: of the same server: cron jobs, and the log to which changes are written. It stays open.
        keep_log: how long an entry of that log is kept; None: for ever.
    """

    def __init__(
        self,
        admin: Admin,
        *,
        client: Client | None = None,
        tasks: Sequence[Source] = (),
        database: Database | None = None,
        keep_log: Duration | None = LOG_KEPT,
    ) -> None:
        self.admin = admin
        settings = admin.server.settings
        self._owns_client = client is None
        self.client = client or Client(settings.url, prefix=settings.prefix, timeout=settings.timeout)
        self.catalogue = Catalogue(tasks)
        self.redactor = Redactor(self.catalogue)
        self.operator_log = None if database is None else OperatorLog(database, keep=keep_log)
        self._refused = Refused()
        self.schedules = None if database is None else DatabaseSchedules(database, *tasks, client=self.client)
        self.queue_names = QueueNames(admin)
        self.feed = EventFeed(admin.server)

    async def queue(self, name: str) -> QueueAdmin:
        """A queue that exists. Raises `Problem` 404."""
        try:
            if await self.admin.has_queue(name):
                return self.admin.queue(name)
        except InvalidQueueName:
            pass
        raise Problem(404, "unknown-queue", f"there is no queue {name[:200]!r}", queue=name[:200])

    async def show_added(self, queue: str, name: str, payload: object, job_id: str) -> JobModel:
        """A job that was added; as it was when it has run and is gone by now."""
        found = await self.admin.queue(queue).jobs.get(job_id)
        return self.show(found or Job(id=job_id, queue=queue, name=name, data=payload))

    def operator(self, who: Principal) -> Operator:
        """Somebody who was recognised, as one who acts."""
        return Operator(who, self.operator_log, self._refused)

    def show(self, job: Job) -> JobModel:
        """A job for output, redacted."""
        return show_job(self.redactor.job(job))

    def check_seen(self, job: Job, digest: str) -> None:
        """Raise `Problem` 409 if a job no longer shows the payload that somebody saw who wants to change it."""
        if digest != self.show(job).digest:
            detail = (
                f"the payload of job {job.id!r} is not the one that you saw: somebody has changed it meanwhile. "
                "Nothing was changed. Look at the job, then send yours again"
            )
            raise Problem(409, "payload-changed", detail, jobId=job.id)

    def show_event(self, event: Event) -> EventModel:
        """An event for output, redacted."""
        return show_event(event, self.redactor.event(event))

    async def close(self) -> None:
        """End the event streams, and close what was opened here."""
        self.feed.close()
        if self._owns_client:
            await self.client.close()


def the_desk(request: Request) -> Desk:
    """The desk of the API that a request came to."""
    desk: Desk = request.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(the_desk)]


async def the_queue(queue: QueueName, desk: TheDesk) -> QueueAdmin:
    """The queue of the path. Raises `Problem` 404."""
    return await desk.queue(queue)


TheQueue = Annotated[QueueAdmin, Depends(the_queue)]


async def the_job(queue: TheQueue, job_id: JobId) -> Job:
    """The job of the path. Raises `Problem` 404."""
    found = await queue.jobs.get(job_id)
    if found is None:
        raise Problem(
            404, "job-gone", f"there is no job {job_id[:200]!r} in queue {queue.name!r}", jobId=job_id
        )
    return found


TheJob = Annotated[Job, Depends(the_job)]


def the_cron_schedules(desk: TheDesk) -> DatabaseSchedules:
    """What triggers the cron jobs of the database, of an API that has one."""
    assert desk.schedules is not None
    return desk.schedules


TheCronSchedules = Annotated[DatabaseSchedules, Depends(the_cron_schedules)]


def the_cron_jobs(schedules: TheCronSchedules) -> CronJobs:
    """The cron jobs themselves."""
    return schedules.cron_jobs


TheCronJobs = Annotated[CronJobs, Depends(the_cron_jobs)]


def the_operator_log(desk: TheDesk) -> OperatorLog:
    """The operator log, of an API that has a database."""
    assert desk.operator_log is not None
    return desk.operator_log


TheOperatorLog = Annotated[OperatorLog, Depends(the_operator_log)]


def may(action: Action) -> Any:
    """A dependency: the operator who sends the request. Raises `Problem` 403 before anything is looked at, and leaves
    that in the operator log."""

    async def operator(request: Request, desk: TheDesk, who: ThePrincipal) -> Operator:
        operator = desk.operator(who)
        await operator.require(action, f"{request.method} {request.scope['path']}")
        return operator

    return Depends(operator)
