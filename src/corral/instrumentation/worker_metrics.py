"""The metrics of one worker: what it ran, for how long, and how busy it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from corral.contracts.observer import Observable, SettledRun

__all__ = ["BUCKETS", "UNKNOWN", "WorkerMetrics"]

BUCKETS: Final = (
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600,
)  # fmt: skip
"""Upper bounds in seconds, from 5 ms to an hour."""

UNKNOWN: Final = "(unknown)"
"""The task of all jobs whose names are not tasks of the worker: whoever adds jobs makes no new series."""


class WorkerMetrics:
    """Counts what a worker settles, and asks it how busy it is when somebody looks.

    Has a registry of its own, so that there may be several in one process: for an exporter of yours,
    `REGISTRY.register(metrics.registry)`. Any thread may look, also while the worker's loop is blocked.

    Args:
        worker: to measure; what it has settled before is not known.
    """

    def __init__(self, worker: Observable) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        """What is measured."""
        self._tasks = worker.tasks
        by_task = ("queue", "task")
        self._waits = Histogram(
            "corral_worker_wait_seconds", "From being due to the first claim.", by_task,
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._times = Histogram(
            "corral_worker_run_seconds", "From a claim to the end of the handler.", by_task,
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self._runs = Counter(
            "corral_worker_runs", "Runs by outcome: completed, retried, or why the job failed for good.",
            (*by_task, "outcome"), registry=self.registry,
        )  # fmt: skip
        self._stalls = Counter(
            "corral_worker_stalled",
            "Jobs found that another worker had lost.",
            ("queue",),
            registry=self.registry,
        )
        for queue in self._tasks:
            self._stalls.labels(queue)  # a series that begins at its first stall would never seem to increase
        self.registry.register(_Load(worker))
        worker.observe(self)

    def settled(self, run: SettledRun) -> None:
        """Count a run."""
        task = run.task if run.task in self._tasks.get(run.queue, ()) else UNKNOWN
        self._runs.labels(run.queue, task, run.outcome).inc()
        self._times.labels(run.queue, task).observe(run.seconds)
        if run.waited is not None:
            self._waits.labels(run.queue, task).observe(run.waited)

    def stalled(self, queue: str) -> None:
        """Count a job that was lost."""
        self._stalls.labels(queue).inc()

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


class _Load(Collector):
    """How busy the worker is when somebody looks."""

    def __init__(self, worker: Observable) -> None:
        self._worker = worker

    def describe(self) -> Iterable[Metric]:
        return self._families()

    def collect(self) -> Iterable[Metric]:
        in_hand, slots, age, ready = self._families()
        for queue, load in self._worker.load.items():
            in_hand.add_metric([queue], load.jobs_in_hand)
            slots.add_metric([queue], load.slots)
            if load.since_answer is not None:
                age.add_metric([queue], load.since_answer)
        ready.add_metric([], self._worker.is_ready)
        return in_hand, slots, age, ready

    def _families(self) -> tuple[GaugeMetricFamily, ...]:
        by_queue = ("queue",)
        return (
            GaugeMetricFamily("corral_worker_jobs_in_hand", "Jobs that run.", labels=by_queue),
            GaugeMetricFamily("corral_worker_slots", "Jobs that may run at once.", labels=by_queue),
            GaugeMetricFamily(
                "corral_worker_fetch_age_seconds",
                "Since the server last answered to a claim or settlement.",
                labels=by_queue,
            ),
            GaugeMetricFamily("corral_worker_ready", "1 when it takes jobs and they get on.", labels=()),
        )
