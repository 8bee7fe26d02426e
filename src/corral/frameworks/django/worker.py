# pyright: reportMissingImports=false
"""The worker of a Django project."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

import django
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.tasks import DEFAULT_TASK_BACKEND_ALIAS, task_backends

from corral.contracts.middleware import Middleware
from corral.contracts.queue import Queue
from corral.frameworks.django.backend import CorralBackend
from corral.frameworks.django.runner import TaskRunner
from corral.worker.serve import DEFAULT_CONCURRENCY, Unknown
from corral.worker.worker import Worker

__all__ = ["django_worker"]


def django_worker(
    backend: str = DEFAULT_TASK_BACKEND_ALIAS,
    *,
    queues: Sequence[str] = (),
    concurrency: int = DEFAULT_CONCURRENCY,
    grace: float = 25.0,
    unknown: Unknown = "fail",
    middleware: Sequence[Middleware] = (),
    name: str | None = None,
) -> Worker:
    """A worker for the tasks of a backend, by its alias in TASKS. Sets Django up if nobody has.

    Args:
        queues: serve these; by default all of the backend's QUEUES.
        concurrency, grace, unknown, middleware, name: as for `Worker`. `unknown="park"` leaves jobs whose task this
            version of the project does not have for a newer one.

    Raises `ImproperlyConfigured` for a backend that is not Corral's, and for queues that it does not have.
    """
    if not apps.ready:
        django.setup()
    tasks = task_backends[backend]
    if not isinstance(tasks, CorralBackend):
        raise ImproperlyConfigured(f"TASKS[{backend!r}] is no CorralBackend: its tasks are run elsewhere")
    serving = list(dict.fromkeys(queues or sorted(tasks.queues)))
    if not serving:
        raise ImproperlyConfigured(f"TASKS[{backend!r}] takes any queue: say which of them to serve")
    if others := [queue for queue in serving if tasks.queues and queue not in tasks.queues]:
        raise ImproperlyConfigured(f"TASKS[{backend!r}] has no queue {others[0]!r}: add it to its QUEUES")
    name = f"{socket.gethostname()}-{os.getpid()}" if name is None else name
    runner = TaskRunner(backend, type(tasks), name, unknown)
    sources = [Queue(queue) for queue in serving]
    for source in sources:
        source.catch_all(runner.run)
    return Worker(
        *sources,
        url=tasks.options.get("url"),
        prefix=tasks.options.get("prefix"),
        concurrency=concurrency,
        grace=grace,
        lifespan=runner.lifespan,
        middleware=middleware,
        on_completed=runner.completed,
        on_exhausted=runner.exhausted,
        name=name,
    )
