# pyright: reportMissingImports=false
"""`manage.py corral_worker`: run the tasks of a backend."""

from __future__ import annotations

import asyncio
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.tasks import DEFAULT_TASK_BACKEND_ALIAS

from corral.errors import CorralError
from corral.frameworks.django.worker import django_worker
from corral.worker.serve import DEFAULT_CONCURRENCY

__all__ = ["Command"]


class Command(BaseCommand):
    """One worker in this process. For several, for health checks, metrics or reloading there is `corral worker
    corral.frameworks.django:django_worker`."""

    help = "Runs tasks until SIGTERM or Ctrl-C (twice: at once)."

    def add_arguments(self, parser: CommandParser) -> None:
        """What the command takes."""
        parser.add_argument("--backend", default=DEFAULT_TASK_BACKEND_ALIAS, help="Its alias in TASKS.")
        parser.add_argument(
            "--queue",
            action="append",
            default=[],
            help="Serve this queue, and not all of the backend's; repeat.",
        )
        parser.add_argument(
            "--concurrency", type=int, default=DEFAULT_CONCURRENCY, help="Tasks at a time, per queue."
        )
        parser.add_argument(
            "--grace", type=float, default=25.0, help="Seconds for tasks in hand when it is told to stop."
        )
        parser.add_argument(
            "--park", action="store_true", help="Leave jobs whose task is not here for another worker."
        )

    def handle(self, **options: Any) -> None:
        """Run the worker. Raises `CommandError` when it cannot start."""
        try:
            worker = django_worker(
                options["backend"],
                queues=options["queue"],
                concurrency=options["concurrency"],
                grace=options["grace"],
                unknown="park" if options["park"] else "fail",
            )
            asyncio.run(worker.run())
        except (CorralError, ImproperlyConfigured) as error:
            raise CommandError(str(error)) from error
