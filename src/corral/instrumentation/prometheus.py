"""Prometheus: metrics of workers and queues, and where they are scraped. Needs `corral[prometheus]`."""

from __future__ import annotations

from typing import Any, Final

from corral.admin.admin import Admin
from corral.errors import CorralError
from corral.instrumentation.queue_metrics import QueueMetrics
from corral.instrumentation.worker_metrics import WorkerMetrics

__all__ = ["CONTENT_TYPE", "QueueMetrics", "WorkerMetrics", "metrics_app"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def metrics_app(admin: Admin) -> Any:
    """The metrics of all queues as an ASGI application, to be mounted behind your own guard: it asks for no token.

    `app.mount("/metrics", metrics_app(admin))`. Answers 503 while the server does not answer; the admin stays yours to
    close.
    """
    metrics = QueueMetrics(admin)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"metrics are scraped over HTTP, and this is {scope['type']}")
        if scope["method"] not in ("GET", "HEAD"):
            await _answer(send, 405, b"GET or HEAD\n", more=[(b"allow", b"GET, HEAD")])
            return
        try:
            text = await metrics.text()
        except CorralError as error:
            await _answer(send, 503, f"{error}\n".encode(errors="replace"))
            return
        await _answer(send, 200, text if scope["method"] == "GET" else b"")

    return app


async def _answer(send: Any, status: int, body: bytes, more: list[tuple[bytes, bytes]] | None = None) -> None:
    kind = CONTENT_TYPE if status == 200 else "text/plain; charset=utf-8"
    headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store"), *(more or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
