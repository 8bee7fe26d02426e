"""The dashboard as an application: mounted into yours under any path, or served by `corral serve`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.contracts.duration import Duration
from corral.dashboard.access import Access
from corral.dashboard.add_job import AddJob
from corral.dashboard.assets import Assets
from corral.dashboard.changes import Changes
from corral.dashboard.cron_job import CronJobPage
from corral.dashboard.edit_job import EditJob
from corral.dashboard.failure_changes import FAILURE_CHANGES
from corral.dashboard.failures import FailuresPage
from corral.dashboard.gate import Gate
from corral.dashboard.job import JobPage
from corral.dashboard.job_changes import JOB_CHANGES
from corral.dashboard.operator_log import OperatorLogPage
from corral.dashboard.overview import Overview
from corral.dashboard.pages import Pages
from corral.dashboard.queue import QueuePage
from corral.dashboard.queue_changes import QUEUE_CHANGES
from corral.dashboard.refusals import Refusals
from corral.dashboard.schedule_changes import ScheduleChanges
from corral.dashboard.schedules import SchedulesPage
from corral.dashboard.worker_changes import WORKER_CHANGES
from corral.dashboard.workers import WorkersPage
from corral.engine.faults import ResponseError
from corral.errors import CorralError
from corral.http.access import Authenticate
from corral.http.desk import LOG_KEPT, Desk
from corral.http.throttle import Throttle
from corral.store.database import Database
from corral.store.known_tasks import Source

__all__ = ["create_dashboard"]

CHANGES: Final = [*QUEUE_CHANGES, *JOB_CHANGES, *FAILURE_CHANGES, *WORKER_CHANGES]


def create_dashboard(
    admin: Admin,
    *,
    authenticate: Authenticate | None = None,
    tasks: Sequence[Source] = (),
    client: Client | None = None,
    database: Database | None = None,
    keep_log: Duration | None = LOG_KEPT,
    may_be_local: bool = False,
    title: str = "Corral",
    environment: Mapping[str, str] = os.environ,
) -> Starlette:
    """The pages for one server: all its BullMQ queues, whoever made them.

    `app.mount("/bullBoard", create_dashboard(Admin()))` puts them into an application of your own, where they want
    `authenticate`, or the variables BULL_BOARD_USERNAME and BULL_BOARD_PASSWORD for basic auth; without either they are
    disabled, and a warning is logged. There may be several in one process. The admin and the client stay yours to
    close; what was opened here is closed by `await app.state.desk.close()`.

    Args:
        admin: of the server to look after.
        authenticate: your own hook: who sends a request, with a role (viewer, operator, admin), or None.
        tasks: task sets (or instances) and `Queue`s: forms are made from their payload types.
        client: of the same server, for adding jobs.
        database: of the same server: where changes are written; else only to the program's log.
        keep_log: how long what was written is kept: who writes removes what is older. None: for ever.
        may_be_local: let a developer in without credentials: with CORRAL_ENV=development, over a loopback socket, with
            a loopback `Host` and without a header of a proxy. For pages that are served alone.
        title: stands in every page's head.
        environment: where the variables are looked up.
    """
    desk = Desk(admin, client=client, tasks=tasks, database=database, keep_log=keep_log)
    access = Access(authenticate, may_be_local=may_be_local, environment=environment)
    assets = Assets()
    pages = Pages(assets, title)
    refusals = Refusals(pages)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await desk.close()

    app = Starlette(
        routes=_routes(desk, pages, assets),
        middleware=[Middleware(Gate, access=access, throttle=Throttle(), refuse=refusals.refuse)],
        exception_handlers=dict.fromkeys((HTTPException, CorralError, ResponseError), refusals.tell),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.desk = desk
    return app


def _routes(desk: Desk, pages: Pages, assets: Assets) -> list[Route]:
    overview, queue, job = Overview(desk, pages), QueuePage(desk, pages), JobPage(desk, pages)
    failures, schedules, workers = (
        FailuresPage(desk, pages),
        SchedulesPage(desk, pages),
        WorkersPage(desk, pages),
    )
    log, adding, editing = OperatorLogPage(desk, pages), AddJob(desk, pages), EditJob(desk, pages, job)
    scheduling, cron_job = ScheduleChanges(desk, pages), CronJobPage(desk, pages)
    return [
        Route("/", overview.show),
        Route("/assets/{version}/{name}", assets.serve),
        Route("/queues/{queue}", queue.show),
        Route("/queues/{queue}/events", queue.events),
        Route("/queues/{queue}/jobs/{job}", job.show),
        Route("/queues/{queue}/jobs/{job}/{part}.json", job.download),
        Route("/queues/{queue}/add", adding.ask, methods=["GET"]),
        Route("/queues/{queue}/jobs/{job}/edit", editing.ask, methods=["GET"]),
        Route("/failures", failures.of_all),
        Route("/queues/{queue}/failures", failures.of_one),
        Route("/queues/{queue}/failures/{fingerprint}", failures.show, methods=["GET"]),
        Route("/schedules", schedules.of_all),
        Route("/queues/{queue}/schedules", schedules.of_one),
        Route("/queues/{queue}/schedules/{schedule}", schedules.show),
        Route("/queues/{queue}/schedules/{schedule}/edit", scheduling.ask, methods=["GET"]),
        Route("/queues/{queue}/new-schedule", scheduling.ask, methods=["GET"]),
        Route("/cron-jobs/{cron_job}", cron_job.show),
        Route("/new-cron-job", cron_job.ask, methods=["GET"]),
        Route("/workers", workers.show),
        Route("/log", log.show),
        *Changes(desk, pages).routes(
            [*CHANGES, *adding.changes(), *editing.changes(), *scheduling.changes(), *cron_job.changes()]
        ),
    ]
