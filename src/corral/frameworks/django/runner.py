# pyright: reportMissingImports=false
"""Runs jobs as Django tasks: what the worker's queues have as their catch-all handler."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import close_old_connections, connections, reset_queries
from django.tasks import TaskContext, TaskResult
from django.tasks.exceptions import InvalidTask
from django.tasks.signals import task_finished, task_started
from django.utils.json import normalize_json

from corral.client.client import Client
from corral.contracts.job import Job
from corral.contracts.outcome import Snooze, Unrecoverable
from corral.contracts.stack import failure_reason
from corral.contracts.states import JobState
from corral.errors import InvalidPayload, UnknownTask
from corral.frameworks.django.past_runs import add_note
from corral.frameworks.django.results import result_of
from corral.worker.isolation.threads import ThreadRunner
from corral.worker.serve import Unknown

__all__ = ["TaskRunner"]

PARKED: Final = 5.0
"""Seconds until a job that is parked for another worker is looked at again."""


class TaskRunner:
    """Runs the tasks of one backend: plain functions each in a thread of its own, coroutines on the worker's loop.

    Database connections belong to threads. Those of a task's thread are closed around it when they are broken or too
    old, as Django does around a request; what a coroutine does through `sync_to_async` has a thread of its own for as
    long as the task runs, and its connections end with it.
    """

    def __init__(self, alias: str, sender: type[Any], worker: str, unknown: Unknown) -> None:
        self._alias, self._sender, self._worker, self._unknown = alias, sender, worker, unknown
        self._client: Client | None = None
        self._threads = ThreadRunner()

    @asynccontextmanager
    async def lifespan(self, client: Client) -> AsyncIterator[None]:
        """What the worker opens before its first job."""
        self._client, self._threads = client, ThreadRunner()
        try:
            yield
        finally:
            self._threads.close()

    async def run(self, job: Job) -> Any:
        """Run one job. Raises what its task raises; `UnknownTask` for a name that is no task's, and `Unrecoverable` for
        data that is no task's call."""
        since = datetime.now(UTC)
        result = self._result(await self._with_past(job, since))
        try:
            if inspect.iscoroutinefunction(result.task.func):
                return _returned(await self._on_the_loop(result))
            return _returned(await self._threads.run(self._in_a_thread, result))
        except BaseException as error:
            add_note(error, self._worker, since)
            raise

    async def completed(self, job: Job, value: Any) -> None:
        """Tell Django that a task has finished."""
        await self._announce(await self._ended(job, JobState.COMPLETED, returnvalue=value))

    async def exhausted(self, job: Job, error: BaseException) -> None:
        """Tell Django that a task has failed for good."""
        await self._announce(
            await self._ended(job, JobState.FAILED, failed_reason=failure_reason(error)), error
        )

    def _result(self, job: Job) -> TaskResult:
        try:
            return result_of(job, self._alias)
        except InvalidTask as error:
            if self._unknown == "park":
                raise Snooze(PARKED) from error
            raise UnknownTask(job.queue, job.name) from error
        except InvalidPayload as error:
            raise Unrecoverable(str(error)) from error  # another run would meet the same bytes

    async def _with_past(self, job: Job, since: datetime) -> Job:
        """The job with this run, and those before it if there were any: a claim brings only what handlers need."""
        if job.attempts_started > 1:
            job = await self._stored(job) or job
        return replace(job, state=JobState.ACTIVE, processed_by=self._worker, processed_on=since)

    async def _ended(self, job: Job, state: JobState, **outcome: Any) -> Job:
        """A job that has ended. One that is not kept is as it was claimed, with its outcome."""
        found = await self._stored(job)
        if found is None:
            found = replace(job, processed_by=self._worker, finished_on=datetime.now(UTC), **outcome)
        return replace(found, state=state)

    async def _stored(self, job: Job) -> Job | None:
        assert self._client is not None, "jobs run within the lifespan"
        return await self._client.queue(job.queue).get(job.id)

    async def _announce(self, job: Job, error: BaseException | None = None) -> None:
        try:
            result = result_of(job, self._alias)
        except (InvalidTask, InvalidPayload):
            return  # it stands for no task, so Django has nothing to hear
        await self._threads.run(self._announce_end, result, error)

    def _announce_end(self, result: TaskResult, error: BaseException | None = None) -> None:
        with _own_connections():
            try:
                if error is not None:
                    raise error
            except BaseException:  # noqa: BLE001 - raised for receivers that look into `sys.exc_info()`, as Django's does
                task_finished.send_robust(self._sender, task_result=result)
            else:
                task_finished.send_robust(self._sender, task_result=result)

    def _in_a_thread(self, result: TaskResult) -> Any:
        with _own_connections():
            task_started.send_robust(self._sender, task_result=result)
            return result.task.func(*_arguments(result), **result.kwargs)

    async def _on_the_loop(self, result: TaskResult) -> Any:
        async with ThreadSensitiveContext():
            try:
                await task_started.asend_robust(self._sender, task_result=result)
                return await result.task.func(*_arguments(result), **result.kwargs)
            finally:
                await sync_to_async(connections.close_all)()


@contextmanager
def _own_connections() -> Iterator[None]:
    """What Django does around a request, in a thread that many jobs have in turn."""
    close_old_connections()
    reset_queries()
    try:
        yield
    finally:
        close_old_connections()


def _arguments(result: TaskResult) -> list[Any]:
    return [TaskContext(task_result=result), *result.args] if result.task.takes_context else result.args


def _returned(value: Any) -> Any:
    """What a task returned, as JSON. Another run would return the same, and repeat its effects."""
    try:
        return normalize_json(value)
    except (TypeError, ValueError) as error:
        raise Unrecoverable(f"what the task returned is not JSON: {error}") from error
