"""The API as an application: stands alone, or is mounted into another one under any path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer

from corral.admin.admin import Admin
from corral.client.client import Client
from corral.http import (
    admin_job,
    bulk,
    events,
    failures,
    job_status,
    job_verbs,
    jobs,
    metrics,
    queue_verbs,
    queues,
    schedules,
    workers,
)
from corral.http.access import Authenticate
from corral.http.catalogue import Tasks
from corral.http.desk import Desk
from corral.http.gate import HEALTH, Gate
from corral.http.problem import ProblemModel, answer_with_problems
from corral.http.strict_body import Resource
from corral.http.throttle import Throttle

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
    metrics.router,
    failures.router,
    events.router,
)

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
    authenticate: Authenticate,
    tasks: Iterable[Tasks] = (),
    client: Client | None = None,
) -> FastAPI:
    """The admin API of one server.

    Mount it into an application of your own (`app.mount("/ops", create_api(…))`, behind your own routes when the path
    is empty), or serve it alone, as `corral serve` does. There may be several in one process. The admin and the client
    stay yours to close; whatever was opened here is closed by `await api.state.desk.close()`, which happens by itself
    where it is served alone.

    Args:
        admin: of the server to look after.
        authenticate: who sends a request: `by_token(…)`, or your own.
        tasks: task sets (or instances), `Queue`s and tasks whose payloads are validated before they are stored.
        client: of the same server, for adding jobs.
    """
    desk = Desk(admin, client=client, tasks=tasks)

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
    api.add_middleware(Gate, authenticate=authenticate, throttle=Throttle())
    answer_with_problems(api)
    api.add_api_route(HEALTH, healthz, summary="Whether this process answers", tags=["health"])
    for router in ROUTERS:
        api.include_router(router, dependencies=[TOKEN])
    return api


async def healthz() -> dict[str, str]:
    """Open to everybody. Says nothing of Redis, nor of the workers."""
    return {"status": "ok"}
