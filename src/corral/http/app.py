"""The API as an application: stands alone, or is mounted into another one under any path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.contracts.duration import Duration
from corral.errors import InvalidOption
from corral.http import (
    admin_job,
    bulk,
    cron_jobs,
    events,
    failures,
    job_status,
    job_verbs,
    jobs,
    metrics,
    operator_log,
    queue_verbs,
    queues,
    samples,
    schedules,
    worker_verbs,
    workers,
)
from corral.http.access import Authenticate, by_token
from corral.http.chores import Chores
from corral.http.desk import LOG_KEPT, Desk
from corral.http.gate import HEALTH, Gate
from corral.http.health import health_of
from corral.http.problem import ProblemModel, answer_with_problems
from corral.http.scrape import scrape_router
from corral.http.strict_body import Resource
from corral.http.throttle import Throttle
from corral.store.database import Database
from corral.store.known_tasks import Source
from corral.store.tokens import Tokens

__all__ = ["create_api"]

ROUTERS: Final = (
    job_status.router,
    admin_job.router,
    queues.router,
    queue_verbs.router,
    bulk.router,
    jobs.router,
    job_verbs.router,
    schedules.router,
    workers.router,
    worker_verbs.router,
    samples.router,
    metrics.router,
    failures.router,
    events.router,
)

STORE_ROUTERS: Final = (cron_jobs.router, operator_log.router)
"""What there is with a database."""

DESCRIPTION: Final = """
Queues, jobs, schedules and workers, over HTTP. Every request carries a token, `Authorization: Bearer …`, which
`corral token create` makes, with one of three roles: a *viewer* looks, an *operator* acts on jobs and queues, an
*admin* also decides which work there is. Errors are problem documents (RFC 9457). Times are milliseconds since the
epoch, durations milliseconds. Names in paths are percent-encoded, slashes included.
"""

TOKEN: Final = Depends(
    HTTPBearer(auto_error=False, description="A token, as `corral token create` makes it.")
)
"""For readers of the OpenAPI. The gate has looked at it before."""

PROBLEMS: Final = {
    401: "No token, or none that is valid.",
    403: "It takes another role.",
    404: "There is no such thing.",
    409: "Its state does not allow it. Nothing was changed.",
    422: "Something in the request is not valid. Nothing was changed.",
    503: "Redis or Valkey does not answer, or is full.",
}


def create_api(
    admin: Admin,
    *,
    tasks: Sequence[Source] = (),
    database: Database | None = None,
    authenticate: Authenticate | None = None,
    client: Client | None = None,
    keep_log: Duration | None = LOG_KEPT,
    chores: Chores | None = None,
) -> FastAPI:
    """The admin API of one server.

    Mount it into an application of your own (`app.mount("/ops", create_api(…))`, behind your own routes when the path
    is empty), or serve it alone, as `corral serve` does. There may be several in one process. The admin and the client
    stay yours to close; whatever was opened here is closed by `await api.state.desk.close()`, which happens by itself
    where it is served alone.

    Args:
        admin: of the server to look after.
        tasks: task sets (or instances) and `Queue`s, whose payloads are validated before they are stored.
        database: of the same server: tokens, cron jobs and the operator log. Without it there are no cron jobs.
        authenticate: who sends a request, if not the tokens of the database say it.
        client: of the same server, for adding jobs.
        keep_log: how long an entry of the operator log is kept: who writes one removes older ones. None: for ever.
        chores: what the program does beside: `/healthz` tells which of it is in trouble.

    Raises `InvalidOption` when neither database nor `authenticate` is given: the API is never open.
    """
    recognise = authenticate or _by_tokens_of(database)
    desk = Desk(admin, client=client, tasks=tasks, database=database, keep_log=keep_log)
    api = _application(desk)
    api.add_middleware(Gate, authenticate=recognise, throttle=Throttle())
    answer_with_problems(api)
    health = health_of(chores or Chores({}))
    api.add_api_route(HEALTH, health, summary="Whether this process answers", tags=["health"])
    for router in ROUTERS if database is None else (*ROUTERS, *STORE_ROUTERS):
        api.include_router(router, dependencies=[TOKEN])
    api.include_router(scrape_router(admin, database), dependencies=[TOKEN])
    return api


def _by_tokens_of(database: Database | None) -> Authenticate:
    if database is None:
        reason = "nobody could be recognised: give a database, whose tokens say who asks, or authenticate="
        raise InvalidOption("authenticate", None, reason)
    return by_token(Tokens(database))


def _application(desk: Desk) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await desk.close()

    api = FastAPI(
        title="Corral",
        description=DESCRIPTION,
        version="1",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={status: {"model": ProblemModel, "description": text} for status, text in PROBLEMS.items()},
    )
    api.state.desk = desk
    api.router.route_class = Resource
    return api
