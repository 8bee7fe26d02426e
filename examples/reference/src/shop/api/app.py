"""The application: `uvicorn --factory shop.api.app:create_app`."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, status
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from corral import Admin, Client
from corral.dashboard.app import create_dashboard
from corral.frameworks.fastapi import CorralLifespan, CorralState, answer_errors
from corral.http.app import create_api
from corral.tasks.audit import AuditTasks
from corral.tasks.cleanup import CleanupTasks
from corral.tasks.email import EmailTasks
from corral.tasks.webhooks import WebhookTasks
from shop.api import health, invitations, joining, orders, reports, sessions, users, webhooks
from shop.api.dependencies import Parts
from shop.database import ShopDatabase
from shop.errors import NotFound, Refused, TooMany
from shop.settings import Settings
from shop.tasks import OrderTasks, ReportTasks, SearchTasks
from shop.webhooks import create_webhooks

__all__ = ["create_app"]

ROUTERS = (health, users, sessions, invitations, joining, orders, reports, webhooks)
TASKS = (OrderTasks, SearchTasks, ReportTasks, EmailTasks, WebhookTasks, AuditTasks, CleanupTasks)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The shop's own endpoints, and for operators the dashboard and the admin API. Connects when it is asked."""
    settings = settings or Settings.from_environment()
    database, client, admin = (
        ShopDatabase(settings.database_url),
        Client(settings.redis_url),
        Admin(settings.redis_url),
    )
    webhooks = create_webhooks(settings, database.corral)
    dashboard = create_dashboard(
        admin, tasks=TASKS, database=database.corral, client=client, title="Shop", may_be_local=True
    )
    operating = create_api(admin, tasks=TASKS, database=database.corral, client=client)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[CorralState]:
        async with admin, webhooks, CorralLifespan(client)(app) as state:
            yield state
            for mounted in (dashboard, operating):
                await mounted.state.desk.close()
        await database.close()

    app = FastAPI(title="Shop", lifespan=lifespan)
    app.state.parts = Parts(settings, database, webhooks)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    answer_errors(app)
    for each in ROUTERS:
        app.include_router(each.router)
    app.mount("/bullBoard", dashboard)
    app.mount("", operating)  # /api/v1/…, /api/admin/… and /metrics: last, behind everything else
    return app


async def _refused(_: Request, refusal: Exception) -> JSONResponse:
    said = {"detail": str(refusal)}
    if isinstance(refusal, TooMany):
        seconds = math.ceil(refusal.retry_after.total_seconds())
        return JSONResponse(said, status.HTTP_429_TOO_MANY_REQUESTS, {"Retry-After": str(seconds)})
    code = status.HTTP_404_NOT_FOUND if isinstance(refusal, NotFound) else status.HTTP_409_CONFLICT
    return JSONResponse(said, code)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """What is wrong with which field, and not what was given: it may be a password, or a text that no answer can
    hold."""
    assert isinstance(error, RequestValidationError)
    problems = [{name: each[name] for name in ("loc", "msg", "type")} for each in error.errors()]
    return JSONResponse({"detail": problems}, status.HTTP_422_UNPROCESSABLE_CONTENT)
