"""The metrics of all queues, for Prometheus to scrape. Like everything else, they take a token."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from corral.admin.admin import Admin
from corral.http.problem import Problem
from corral.http.strict_body import Resource
from corral.store.database import Database
from corral.store.outbox_metrics import outbox_metrics

__all__ = ["scrape_router"]


def scrape_router(admin: Admin, database: Database | None = None) -> APIRouter:
    """The route `/metrics`. Without prometheus-client it answers 501."""
    router = APIRouter(tags=["metrics"], route_class=Resource)
    installed = importlib.util.find_spec("prometheus_client") is not None
    router.add_api_route(
        "/metrics",
        _scraping(admin, database) if installed else _explain,
        summary="All queues, in Prometheus' text format",
        response_class=PlainTextResponse,
    )
    return router


def _scraping(admin: Admin, database: Database | None) -> Callable[[], Awaitable[Response]]:
    from corral.instrumentation.prometheus import CONTENT_TYPE, QueueMetrics

    metrics = QueueMetrics(admin)

    async def scrape() -> Response:
        """Jobs by state, the age of the oldest that waits, workers, pauses, at most a second old; and how far behind
        the outbox of the database is."""
        outbox = b"" if database is None else await outbox_metrics(database)
        return Response(await metrics.text() + outbox, headers={"Content-Type": CONTENT_TYPE})

    return scrape


async def _explain() -> Response:
    """Metrics need the extra `prometheus`."""
    raise Problem(501, "not-installed", "metrics need prometheus-client: pip install 'corral[prometheus]'")
