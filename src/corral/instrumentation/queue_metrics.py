"""The metrics of all queues: how much waits, for how long, and whether anybody works on it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from corral.admin.admin import Admin
from corral.admin.lookout import Lookout, QueueGlance, View

__all__ = ["QueueMetrics"]

FRESH: Final = 1.0
"""Seconds for which an answer is given again, so that many who look cost no more than one."""


class QueueMetrics:
    """Looks at all queues when somebody asks: a call for each queue and one for its workers, whatever is in them, at
    most once a second; of more than 1,000 queues the others are left out. Names of queues are the only labels that
    grow.

    Args:
        admin: of the server to look at. It stays open.
    """

    def __init__(self, admin: Admin, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._lookout = Lookout(admin)
        self._clock = clock
        self._text = b""
        self._read_at = -FRESH
        self._looking: asyncio.Task[bytes] | None = None

    async def text(self) -> bytes:
        """All of it in Prometheus' text format. Raises `ServerUnavailable` or `ServerRefused`."""
        if self._clock() < self._read_at + FRESH:
            return self._text
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> bytes:
        registry = CollectorRegistry()
        registry.register(_Queues(await self._lookout.look()))
        self._text, self._read_at = generate_latest(registry), self._clock()
        return self._text


class _Queues(Collector):
    """One look, as metrics."""

    def __init__(self, view: View) -> None:
        self._view = view

    def collect(self) -> Iterable[Metric]:
        view, by_queue = self._view, ("queue",)
        jobs = GaugeMetricFamily("corral_queue_jobs", "Jobs by state.", labels=("queue", "state"))
        for glance in view.queues:
            for state, count in glance.counts.items():
                jobs.add_metric([glance.queue, state.value], count)
        yield jobs
        yield _gauge(
            "corral_queue_paused", "1 while no jobs are handed out.", view, lambda one: one.is_paused
        )
        yield _gauge(
            "corral_queue_oldest_waiting_seconds",
            "For how long the job has been due that is next in line; 0 when none waits.",
            view,
            lambda one: one.oldest_waiting.total_seconds() if one.oldest_waiting else 0,
        )
        yield _gauge("corral_queue_workers", "Workers that claim its jobs.", view, lambda one: one.workers)
        for ended in ("completed", "failed"):
            family = CounterMetricFamily(
                f"corral_queue_{ended}", f"Jobs that {ended}, as BullMQ's metrics count.", labels=by_queue
            )
            for glance in view.queues:
                family.add_metric([glance.queue], getattr(glance, ended))
            yield family
        yield GaugeMetricFamily(
            "corral_queues_damaged", "Queues that cannot be read.", value=len(view.damaged)
        )
        yield GaugeMetricFamily(
            "corral_queues_left_out", "Queues beyond the first 1,000: not shown.", value=view.left_out
        )


def _gauge(
    name: str, text: str, view: View, value: Callable[[QueueGlance], float | None]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=("queue",))
    for glance in view.queues:
        if (found := value(glance)) is not None:
            family.add_metric([glance.queue], found)
    return family
