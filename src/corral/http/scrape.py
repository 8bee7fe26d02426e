"""The metrics of all queues, for Prometheus to scrape. Like everything else, they take a token."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from corral.admin.admin import Admin
from corral.http.problem import Problem
from corral.http.strict_body import Resource

__all__ = ["scrape_router"]


def scrape_router(admin: Admin) -> APIRouter:
    """The route `/metrics`. Without prometheus-client it answers 501."""
    router = APIRouter(tags=["metrics"], route_class=Resource)
    installed = importlib.util.find_spec("prometheus_client") is not None
    router.add_api_route(
        "/metrics",
        _scraping(admin) if installed else _explain,
        summary="All queues, in Prometheus' text format",
        response_class=PlainTextResponse,
    )
    return router


def _scraping(admin: Admin) -> Callable[[], Awaitable[Response]]:
    from corral.instrumentation.prometheus import CONTENT_TYPE, QueueMetrics

    metrics = QueueMetrics(admin)

    async def scrape() -> Response:
        """Jobs by state, the age of the oldest that waits, workers, pauses. At most a second old."""
        return Response(await metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    return scrape


async def _explain() -> Response:
    """Metrics need the extra `prometheus`."""
    raise Problem(501, "not-installed", "metrics need prometheus-client: pip install 'corral[prometheus]'")
