"""What `/metrics` of a worker's health port answers, where prometheus-client is installed."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path

from corral.worker.endpoint.fleet import fleet_metrics
from corral.worker.worker import Worker

__all__ = ["measuring", "measuring_fleet"]

Measured = Callable[[], Awaitable[bytes]]


def measuring(worker: Worker) -> Measured | None:
    """Measure a worker from now on. None without the extra."""
    if not _is_installed():
        return None
    from corral.instrumentation.worker_metrics import WorkerMetrics

    metrics = WorkerMetrics(worker)

    async def text() -> bytes:
        return metrics.text()

    return text


def measuring_fleet(folder: Path, processes: int) -> Measured | None:
    """Ask each process for what it has measured. None without the extra."""
    if not _is_installed():
        return None
    from corral.instrumentation.fleet_metrics import merged

    async def text() -> bytes:
        return merged(await fleet_metrics(folder, processes))

    return text


def _is_installed() -> bool:
    return importlib.util.find_spec("prometheus_client") is not None
