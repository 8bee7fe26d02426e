"""The backend does what Django's own documentation says of Tasks."""

from __future__ import annotations

import asyncio
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.tasks import TaskResult, TaskResultStatus, default_task_backend, task
from django.tasks.exceptions import InvalidTask, TaskResultDoesNotExist, TaskResultMismatch
from django.test import override_settings

from corral import InvalidPayload, JobState, PayloadTooLarge, ServerUnavailable, SyncClient
from corral.frameworks.django import CorralBackend
from corral.frameworks.django.past_runs import past_runs
from tests.frameworks.django.conftest import Configure, Working
from tests.frameworks.django.shop import tasks

READY, FAILED, SUCCESSFUL = TaskResultStatus.READY, TaskResultStatus.FAILED, TaskResultStatus.SUCCESSFUL


async def finished(result: TaskResult) -> TaskResult:
    """Wait for the job of a result."""
    queue, _, job_id = result.id.partition(":")
    await asyncio.to_thread(default_task_backend._client().queue(queue).job(job_id).wait, 30)
    await result.arefresh()
    return result


async def test_a_task_is_run_and_its_result_read(working: Working) -> None:
    """What `enqueue` gives is ready; after a worker has run the task, it has its value and times."""
    result = await tasks.add.aenqueue(2, second=3)
    assert (result.status, result.is_finished, result.attempts) == (READY, False, 0)
    async with working(name="w-1"):
        await finished(result)
    assert (result.status, result.return_value, result.errors) == (SUCCESSFUL, 5, [])
    assert result.worker_ids == ["w-1"]
    read = await tasks.add.aget_result(result.id)
    assert (read.args, read.kwargs, read.backend) == ([2], {"second": 3}, "default")
    assert read.enqueued_at <= read.started_at == read.last_attempted_at <= read.finished_at


async def test_a_coroutine_is_a_task_too(working: Working) -> None:
    """An `async def` runs on the worker's loop."""
    result = await tasks.greet.aenqueue("Ada", greeting="Good morning")
    async with working():
        await finished(result)
    assert result.return_value["text"] == "Good morning, Ada!"


async def test_many_enqueue_at_once() -> None:
    """`aenqueue` holds up no loop: calls share round trips, and each has its own result."""
    results = await asyncio.gather(*(tasks.add.aenqueue(number, 1) for number in range(200)))
    read = await asyncio.gather(*(tasks.add.aget_result(result.id) for result in results))
    assert [result.args for result in read] == [[number, 1] for number in range(200)]


async def test_a_server_that_hangs_takes_no_threads(project: Configure) -> None:
    """`aenqueue` and `aget_result` leave the loop's threads to others, however many wait for a server."""
    threads = ThreadPoolExecutor(thread_name_prefix="callers")
    asyncio.get_running_loop().set_default_executor(threads)
    called = asyncio.Event()
    connections: list[asyncio.StreamWriter] = []

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        called.set()

    silent = await asyncio.start_server(take, "127.0.0.1", 0)
    project(url=f"redis://127.0.0.1:{silent.sockets[0].getsockname()[1]}")
    calls = [asyncio.create_task(tasks.add.aenqueue(number, 1)) for number in range(30)]
    calls.append(asyncio.create_task(tasks.add.aget_result("default:1")))
    await called.wait()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("callers")] == []
    for call in calls:
        call.cancel()
    ends = await asyncio.gather(*calls, return_exceptions=True)
    for writer in connections:
        writer.close()
    silent.close()
    assert {type(end) for end in ends} == {asyncio.CancelledError}


def test_blocking_code_enqueues_and_reads() -> None:
    """`enqueue` and `get_result` need no event loop."""
    result = tasks.add.enqueue(1, 2)
    assert tasks.add.get_result(result.id).status == READY
    assert default_task_backend.get_result(result.id).task.func is tasks.add.func


async def test_a_failed_task_says_how(working: Working) -> None:
    """A task that fails in each of its attempts has an error for each, with class and traceback, and who ran it."""
    result = await tasks.refuse.aenqueue("closed")
    async with working(name="w-1"):
        await finished(result)
    assert result.status == FAILED
    assert [error.exception_class for error in result.errors] == [tasks.Refused] * 2
    assert result.errors[0].traceback.startswith("Traceback")
    assert result.errors[0].traceback.rstrip().endswith("Refused: closed")
    assert (result.attempts, result.worker_ids) == (2, ["w-1", "w-1"])
    assert result.started_at < result.last_attempted_at < result.finished_at
    with pytest.raises(ValueError, match="failed"):
        _ = result.return_value


@pytest.mark.parametrize(
    ("what", "path"),
    [
        ("a group", "builtins.ExceptionGroup"),
        ("the same object", f"{tasks.__name__}.Refused"),
        ("a long text", f"{tasks.__name__}.Refused"),
        ("a chain", f"{tasks.__name__}.Refused"),
        ("an exit", "builtins.SystemExit"),
        ("a note", f"{tasks.__name__}.Refused"),
        ("a note that is no moment", f"{tasks.__name__}.Refused"),
        ("a note in a group", "builtins.ExceptionGroup"),
    ],
)
async def test_whatever_is_raised_has_its_class(working: Working, what: str, path: str) -> None:
    """The class of an error is exact, whatever the traceback looks like, and whatever the message says: what looks like
    our note in it is a part of it. The traceback is Python's alone."""
    result = await tasks.raise_it.aenqueue(what)
    async with working(name="w-1"):
        await finished(result)
    assert [error.exception_class_path for error in result.errors] == [path, path]
    assert not [error for error in result.errors if "corral: builtins" in error.traceback]
    assert not [error for error in result.errors if "corral: tests" in error.traceback]
    assert result.worker_ids == ["w-1", "w-1"]
    assert result.enqueued_at <= result.started_at


async def test_a_traceback_of_another_program_has_no_note(working: Working) -> None:
    """A line that has the form of our note, and names no moment, is text: the result can be read."""
    result = await tasks.refuse.aenqueue("closed")
    async with working():
        await finished(result)
    queue, _, job_id = result.id.partition(":")
    client = default_task_backend._client()
    job = await asyncio.to_thread(client.queue(queue).get, job_id)
    text = "Error: no\ncorral: a in b since c"
    (run,) = past_runs(replace(job, stacktrace=[text]))
    assert (run.traceback, run.worker, run.since) == (text, None, None)


async def test_a_task_knows_its_attempt(working: Working) -> None:
    """With `takes_context` a task is told of its runs: which this is, who had the others, and how they failed."""
    result = await tasks.second_time.aenqueue("word")
    async with working(name="w-1"):
        await finished(result)
    assert result.return_value == {
        "word": "word",
        "attempt": 2,
        "workers": ["w-1", "w-1"],
        "errors": ["tests.frameworks.django.shop.tasks.Refused"],
        "status": "RUNNING",
    }


async def test_the_highest_priority_runs_first(working: Working, tmp_path: Path) -> None:
    """Django's -100 to 100, in Django's order; those that are equal, in the order in which they were enqueued."""
    written = tmp_path / "order"
    for line, priority in [("0", 0), ("-100", -100), ("100", 100), ("1", 1), ("0 again", 0)]:
        last = await tasks.note.using(priority=priority).aenqueue(str(written), line)
        assert (await tasks.note.aget_result(last.id)).task.priority == priority
    least = await tasks.note.using(priority=-100).aenqueue(str(written), "-100 again")
    async with working(concurrency=1):
        await finished(least)
    assert written.read_text().split("\n")[:-1] == ["100", "1", "0", "0 again", "-100", "-100 again"]


async def test_a_task_waits_for_its_time(working: Working) -> None:
    """`run_after` is the earliest time of a task, and can be read again."""
    due = datetime.now(UTC) + timedelta(seconds=1)
    result = await tasks.add.using(run_after=due).aenqueue(1, 1)
    assert (await tasks.add.aget_result(result.id)).task.run_after == due
    async with working():
        await finished(result)
    assert result.started_at >= due
    later = await tasks.add.using(run_after=due + timedelta(days=1)).aenqueue(1, 1)
    assert (await tasks.add.aget_result(later.id)).status == READY


async def test_naive_times_where_the_project_has_them(working: Working) -> None:
    """With `USE_TZ = False` times are naive, in the project's zone, going in and coming out."""
    with override_settings(USE_TZ=False, TIME_ZONE="Asia/Tokyo"):
        due = datetime.now(UTC).astimezone().replace(tzinfo=None) - timedelta(days=1)
        result = await tasks.add.using(run_after=due).aenqueue(1, 1)
        async with working():
            await finished(result)
        assert result.started_at.tzinfo is None
        assert (await tasks.add.aget_result(result.id)).task.run_after == due


@pytest.mark.parametrize(
    "result_id",
    ["", "nothing", "default:nothing", "other:1", "default:", "\ud800:1", "default:\ud800"],
    ids=ascii,
)
def test_what_is_not_there_does_not_exist(result_id: str) -> None:
    """An id that no result of this backend has is `TaskResultDoesNotExist`, whatever it looks like."""
    with pytest.raises(TaskResultDoesNotExist):
        default_task_backend.get_result(result_id)


def test_the_jobs_of_others_are_no_results(redis_url: str, prefix: str) -> None:
    """A job that another program put into the queue is no result of a Django task."""
    with SyncClient(redis_url, prefix=prefix) as client:
        strange = [
            client.queue("default").enqueue("sendMail", {"to": "ada"}),
            client.queue("default").enqueue(tasks.add.module_path, {"args": 1}),
        ]
    for job in strange:
        with pytest.raises(TaskResultDoesNotExist):
            default_task_backend.get_result(f"default:{job.id}")


def test_a_result_belongs_to_its_task() -> None:
    """Reading it through another task is a mismatch."""
    with pytest.raises(TaskResultMismatch):
        tasks.greet.get_result(tasks.add.enqueue(1, 2).id)


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ({1, 2}, TypeError),
        (datetime.now(UTC), TypeError),
        (float("nan"), InvalidPayload),
        ("x" * 2**21, PayloadTooLarge),
    ],
    ids=["set", "datetime", "nan", "too large"],
)
def test_what_is_no_json_is_refused_at_once(
    argument: Any, error: type[Exception], redis_url: str, prefix: str
) -> None:
    """An argument that cannot be stored raises where it is given, and nothing is stored."""
    with pytest.raises(error):
        tasks.add.enqueue(argument, 1)
    with SyncClient(redis_url, prefix=prefix) as client:
        assert client.queue("default").counts()[JobState.PRIORITIZED] == 0


def test_what_no_worker_could_find_is_refused_at_once() -> None:
    """A task under another name than its function's, and one outside of the project's applications."""
    with pytest.raises(InvalidTask, match="under its own name"):
        tasks.renamed.enqueue(1)
    with pytest.raises(InvalidTask, match="INSTALLED_APPS"):
        task(textwrap.dedent).enqueue("outside")
    with pytest.raises(InvalidTask, match="Queue 'sms'"):
        tasks.add.using(queue_name="sms")


def test_a_transaction_that_is_rolled_back_enqueues_nothing(
    database: Path, redis_url: str, prefix: str
) -> None:
    """`transaction.on_commit` is Django's way to wait for the commit; without it a job is there at once."""
    with SyncClient(redis_url, prefix=prefix) as client:
        counts: Callable[[], int] = lambda: client.queue("default").counts()[JobState.PRIORITIZED]  # noqa: E731
        with pytest.raises(RuntimeError), transaction.atomic():
            transaction.on_commit(partial(tasks.add.enqueue, 1, 2))
            raise RuntimeError
        assert counts() == 0
        with transaction.atomic():
            transaction.on_commit(partial(tasks.add.enqueue, 1, 2))
            assert counts() == 0
        assert counts() == 1


def test_a_server_that_is_away_raises(project: Configure) -> None:
    """`enqueue` does not pretend."""
    project(url="redis://127.0.0.1:1")
    with pytest.raises(ServerUnavailable):
        tasks.add.enqueue(1, 2)


def test_threads_share_one_client(redis_url: str, prefix: str) -> None:
    """Django makes a backend for each thread; all of them go through one client."""
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda number: tasks.add.enqueue(number, 1), range(40)))
    assert len({result.id for result in results}) == 40
    assert list(apps.get_app_config("corral")._clients) == [(redis_url, prefix)]


def test_the_application_has_to_be_installed() -> None:
    """Without it, `enqueue` says what to add."""
    with (
        override_settings(INSTALLED_APPS=["tests.frameworks.django.shop"]),
        pytest.raises(ImproperlyConfigured, match=r'add "corral\.frameworks\.django" to INSTALLED_APPS'),
    ):
        tasks.add.enqueue(1, 2)


async def test_a_queue_of_any_name(project: Configure, working: Working) -> None:
    """With `QUEUES: []` a backend takes every queue; results are found all the same."""
    project(queues=[])
    result = await tasks.add.using(queue_name="reports").aenqueue(1, 2)
    async with working(queues=["reports"]):
        await finished(result)
    assert result.return_value == 3


def test_it_supports_all_of_django() -> None:
    """What Django lets backends leave out is all there."""
    assert CorralBackend.supports_defer
    assert CorralBackend.supports_async_task
    assert CorralBackend.supports_get_result
    assert CorralBackend.supports_priority
