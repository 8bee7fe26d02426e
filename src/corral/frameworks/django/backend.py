# pyright: reportMissingImports=false
"""The backend of Django's Tasks that keeps them in Corral's queues."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.tasks import Task, TaskResult, TaskResultStatus
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist
from django.tasks.signals import task_enqueued
from django.utils import timezone

from corral.client.sync import SyncClient
from corral.contracts.job import Job
from corral.errors import InvalidInput
from corral.frameworks.django.calls import Call, enqueue_options
from corral.frameworks.django.finding import find_task
from corral.frameworks.django.options import APP, job_options, problems
from corral.frameworks.django.results import result_id, result_of

__all__ = ["CorralBackend"]


class CorralBackend(BaseTaskBackend):
    """Each queue of Django's is a queue of Corral's; a task's import path is its jobs' name.

    OPTIONS: `url` and `prefix` of the server, as for `corral.Client`; and for all jobs `attempts` or `retries`,
    `backoff`, `timeout`, `remove_on_complete`, `remove_on_fail`, `durability`, as for `task.enqueue`. A job is
    there when `enqueue` returns, whatever becomes of the transaction around it: `transaction.on_commit` waits for that.
    """

    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def enqueue(self, task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult:
        """Add a job.

        Raises:
            InvalidTask: the worker could not find the task by its path, or the backend has no such queue.
            TypeError, ValueError: an argument that is not JSON (`InvalidPayload` for NaN).
            ServerUnavailable, QueueFull: as `corral.Client`.
        """
        call, options = self._checked(task, args, kwargs)
        job = self._client().queue(task.queue_name).enqueue(task.module_path, call.data(), **options)
        result = self._ready(task, call, job.id)
        task_enqueued.send_robust(type(self), task_result=result)
        return result

    async def aenqueue(self, task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult:
        """See `enqueue`. Many may be under way at once: none takes a thread."""
        call, options = self._checked(task, args, kwargs)
        job = await self._client().from_loop(
            lambda client: client.queue(task.queue_name).enqueue(task.module_path, call.data(), **options),
            short=True,
        )
        result = self._ready(task, call, job.id)
        await task_enqueued.asend_robust(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> TaskResult:
        """A result by its id, as it is now. Raises `TaskResultDoesNotExist` when its job is not kept (any more)."""
        with self._read(result_id) as (queue, job_id):
            return self._result(self._client().queue(queue).get(job_id), result_id)

    async def aget_result(self, result_id: str) -> TaskResult:
        """See `get_result`. Many may be under way at once: none takes a thread."""
        with self._read(result_id) as (queue, job_id):
            job = await self._client().from_loop(lambda client: client.queue(queue).get(job_id), short=True)
            return self._result(job, result_id)

    def check(self, **_: Any) -> list[CheckMessage]:
        """What is wrong with the settings, for `manage.py check`. Asks no server."""
        return list(problems(self.alias, self.queues, self.options))

    def _checked(
        self, task: Task, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[Call, dict[str, Any]]:
        self.validate_task(task)
        find_task(task.module_path)  # or no worker would find it
        return Call.of(task, args, kwargs), {**job_options(self.options), **enqueue_options(task)}

    def _ready(self, task: Task, call: Call, job_id: str) -> TaskResult:
        return TaskResult(
            task=task,
            id=result_id(task.queue_name, job_id),
            status=TaskResultStatus.READY,
            enqueued_at=timezone.now(),
            started_at=None,
            last_attempted_at=None,
            finished_at=None,
            args=call.args,
            kwargs=call.kwargs,
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )

    @contextmanager
    def _read(self, wanted: str) -> Iterator[tuple[str, str]]:
        """The queue and the job that a result's id names. What cannot be one, or be read, does not exist."""
        queue, _, job_id = wanted.partition(":")
        if not self._serves(queue):
            raise TaskResultDoesNotExist(wanted)
        try:
            yield queue, job_id
        except (InvalidInput, InvalidTask) as error:
            raise TaskResultDoesNotExist(wanted) from error

    def _result(self, job: Job | None, wanted: str) -> TaskResult:
        if job is None:
            raise TaskResultDoesNotExist(wanted)
        return result_of(job, self.alias)

    def _serves(self, queue: str) -> bool:
        return bool(queue) and (not self.queues or queue in self.queues)

    def _client(self) -> SyncClient:
        if not apps.is_installed(APP):
            raise ImproperlyConfigured(
                f'add "{APP}" to INSTALLED_APPS: it holds the connections of the backend'
            )
        client: SyncClient = apps.get_app_config("corral").client(
            self.options.get("url"), self.options.get("prefix")
        )
        return client
