"""How a worker runs tasks: only tasks, each with the database connections of its own thread."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.tasks import TaskResult, TaskResultStatus
from django.tasks.signals import task_enqueued, task_finished, task_started

from corral import Client, Job, JobState
from corral.contracts.failure import FailureKind
from corral.contracts.fingerprint import fingerprint_of
from corral.frameworks.django import CorralBackend
from tests.frameworks.django.conftest import Configure, Working
from tests.frameworks.django.shop import tasks
from tests.frameworks.django.test_backend import finished

HERE = "tests.frameworks.django"


async def ended(client: Client, name: str, data: Any, **options: Any) -> Job:
    """Put a job of this name into the queue, and wait for its end."""
    return await (await client.queue("default").enqueue(name, data, **options)).wait(timeout=30)


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "subprocess.run",
        f"{HERE}.shop.tasks.not_a_task",
        f"{HERE}.shop.tasks.add.func",
        f"{HERE}.shop.tasks._inner",
        f"{HERE}.shop.tasks.gone",
        f"{HERE}.shop.gone.add",
        "add",
        "..",
        f"{HERE}..tasks.add",
        f"{HERE}.\0.add",
        f"{HERE}.{'x' * 2000}.add",
        "sendMail",
    ],
    ids=lambda name: ascii(name[:60]),
)
async def test_a_job_can_call_nothing_but_a_task(
    working: Working, client: Client, tmp_path: Path, name: str
) -> None:
    """A name that leads to no function decorated with `@task` fails as an unknown task, and nothing is called."""
    called = tmp_path / "called"
    async with working():
        job = await ended(client, name, {"args": [str(called)]}, attempts=2, backoff=0)
    assert (job.state, job.failure_kind) == (JobState.FAILED, FailureKind.UNKNOWN_TASK)
    assert f"no task named {name!r}" in (job.failed_reason or "")
    assert job.attempts_made == 2
    assert not called.exists()


async def test_nothing_is_imported_for_a_stranger(working: Working, client: Client) -> None:
    """A module outside of the project's applications is not even imported."""
    import sys

    async with working():
        job = await ended(client, "antigravity.fly", {"args": []}, attempts=1)
    assert "antigravity" not in sys.modules
    assert "INSTALLED_APPS" in job.stacktrace[0]


@pytest.mark.parametrize("data", [None, [1, 2], {"args": 1}, {"kwargs": []}, {"runAfter": "soon"}], ids=repr)
async def test_data_that_is_no_call_fails_for_good(working: Working, client: Client, data: Any) -> None:
    """Another run would meet the same bytes. (Nothing at all is a call without arguments.)"""
    with heard() as said:
        async with working():
            job = await ended(client, f"{HERE}.shop.tasks.add", data, attempts=3, backoff=0)
    assert job.state is JobState.FAILED
    assert (said == []) == (data is not None)
    assert job.attempts_made == (3 if data is None else 1)


async def test_another_program_enqueues_a_task(working: Working, client: Client) -> None:
    """A job with the name and arguments of a task is one, whoever enqueued it."""
    async with working():
        job = await ended(client, f"{HERE}.shop.tasks.add", {"args": [1], "kwargs": {"second": 5}})
    assert job.returnvalue == 6


async def test_what_is_returned_is_json(working: Working) -> None:
    """A value that cannot be stored fails the task for good: another run would repeat its effects."""
    result = await tasks.unspeakable.aenqueue()
    async with working():
        await finished(result)
    assert (result.status, len(result.errors)) == (TaskResultStatus.FAILED, 1)
    assert "what the task returned is not JSON" in result.errors[0].traceback


async def test_plain_functions_run_in_threads(working: Working) -> None:
    """A plain function does not hold up the loop, a coroutine is on it."""
    blocking, on_loop = await tasks.where.aenqueue(), await tasks.greet.aenqueue("Ada")
    async with working():
        await finished(blocking)
        await finished(on_loop)
    assert blocking.return_value != threading.get_ident()
    assert on_loop.return_value["thread"] == threading.get_ident()


async def test_they_run_beside_each_other(working: Working, tmp_path: Path) -> None:
    """As many as the concurrency says, at the same time."""
    door = tmp_path / "door"
    waiting = await tasks.wait_for.aenqueue(str(door))
    other = await tasks.note.aenqueue(str(door), "open")
    async with working(concurrency=2):
        await finished(other)
        await finished(waiting)
    assert waiting.status == TaskResultStatus.SUCCESSFUL


async def test_a_broken_connection_is_not_met_again(working: Working, database: Path) -> None:
    """What one task leaves of its thread's connection is closed before the next one has the thread."""
    async with working(concurrency=1):
        first = await finished(await tasks.save.aenqueue(1))
        await finished(await tasks.leave_broken.aenqueue())
        second = await finished(await tasks.save.aenqueue(2))
    assert (first.status, second.status) == (TaskResultStatus.SUCCESSFUL,) * 2


async def test_no_connection_outlives_its_task(
    working: Working, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every connection that a task of either kind has opened is closed when it ends (CONN_MAX_AGE is 0)."""
    opened, closed = list[int](), list[int]()
    backend = type(connections["default"])
    connect, close = backend.get_new_connection, backend._close

    def opening(self: Any, parameters: Any) -> Any:
        opened.append(threading.get_ident())
        return connect(self, parameters)

    def closing(self: Any) -> Any:
        closed.append(threading.get_ident()) if self.connection is not None else None
        return close(self)

    monkeypatch.setattr(backend, "get_new_connection", opening)
    monkeypatch.setattr(backend, "_close", closing)
    async with working():
        await finished(await tasks.save.aenqueue(1))
        result = await finished(await tasks.asave.aenqueue(2))
    assert result.return_value == 2
    assert len(opened) >= 2
    assert sorted(opened) == sorted(closed)
    assert threading.get_ident() not in opened


@contextmanager
def heard() -> Iterator[list[tuple[str, type, TaskResult]]]:
    """What the signals say while inside: of each result a copy, as it was then."""
    said: list[tuple[str, type, TaskResult]] = []
    receivers = {
        signal: (lambda sender, task_result, name=name, **_: said.append((name, sender, copy(task_result))))
        for name, signal in [
            ("enqueued", task_enqueued),
            ("started", task_started),
            ("finished", task_finished),
        ]
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver, weak=False)
    yield said
    for signal, receiver in receivers.items():
        signal.disconnect(receiver)


@pytest.mark.parametrize("task", [tasks.add, tasks.greet], ids=["function", "coroutine"])
async def test_signals_tell_of_a_life(working: Working, task: Any) -> None:
    """Enqueued, started, finished: each once, from the backend, with the result as it is then."""
    with heard() as said:
        result = await (task.aenqueue(1, 2) if task is tasks.add else task.aenqueue("Ada"))
        async with working(name="w-1"):
            await finished(result)
    assert [name for name, _, _ in said] == ["enqueued", "started", "finished"]
    assert {sender for _, sender, _ in said} == {CorralBackend}
    assert {told.id for _, _, told in said} == {result.id}
    assert [told.status for _, _, told in said] == ["READY", "RUNNING", "SUCCESSFUL"]
    assert said[1][2].worker_ids == ["w-1"]
    assert said[2][2].return_value == result.return_value
    assert said[2][2].finished_at == result.finished_at


@pytest.mark.parametrize("keep", [True, False], ids=["removed", "kept"])
async def test_a_failure_is_told_once(
    working: Working, project: Configure, caplog: pytest.LogCaptureFixture, keep: bool
) -> None:
    """A task that is tried twice has started twice and finished once; whoever hears it finds the exception, as Django's
    own log does. It is so for jobs that are removed when they fail, too."""
    project(remove_on_fail=keep)
    with heard() as said, caplog.at_level(logging.INFO, "django.tasks"):
        await tasks.refuse.aenqueue("closed")
        async with working():
            await _until(lambda: any(name == "finished" for name, _, _ in said))
    assert [name for name, _, _ in said] == ["enqueued", "started", "started", "finished"]
    assert said[-1][2].status == TaskResultStatus.FAILED
    assert said[-1][2].errors
    told = [record for record in caplog.records if record.levelno == logging.ERROR and record.exc_info]
    assert [record.exc_info[0] for record in told if record.exc_info] == [tasks.Refused]


async def test_a_receiver_does_not_decide_over_a_job(
    working: Working, caplog: pytest.LogCaptureFixture
) -> None:
    """A receiver that raises is logged by Django, and the task goes on."""

    def broken(**_: Any) -> None:
        raise RuntimeError("a broken receiver")

    task_started.connect(broken)
    try:
        result = await tasks.add.aenqueue(1, 2)
        async with working():
            await finished(result)
    finally:
        task_started.disconnect(broken)
    assert result.status == TaskResultStatus.SUCCESSFUL
    assert "a broken receiver" in caplog.text


async def test_failures_are_still_grouped_by_their_cause(working: Working, client: Client) -> None:
    """What is noted in a traceback for Django leaves the type and the place of a failure what they are."""
    result = await tasks.refuse.aenqueue("closed")
    async with working():
        await finished(result)
    job = await client.queue("email").get(result.id.partition(":")[2])
    assert job is not None
    assert "corral: " in job.stacktrace[-1]
    group = fingerprint_of("exhausted", job.failed_reason or "", job.stacktrace[-1])
    assert (group.error_type, group.place) == (f"{HERE}.shop.tasks.Refused", "shop/tasks.py:refuse")


async def test_a_timeout_is_an_error_of_its_run(working: Working, project: Configure, tmp_path: Path) -> None:
    """A task that takes longer than `timeout` fails with a TimeoutError."""
    project(timeout=0.2, attempts=1)
    door = tmp_path / "door"
    result = await tasks.wait_for.aenqueue(str(door))
    async with working():
        await finished(result)
    door.touch()
    assert (result.status, result.attempts) == (TaskResultStatus.FAILED, 1)
    assert result.errors[0].exception_class is TimeoutError


async def test_a_job_for_a_newer_version_is_left(working: Working, client: Client) -> None:
    """With `unknown="park"` a job whose task is not here is put back, no attempt spent."""
    async with working(unknown="park"):
        job = await client.queue("default").enqueue(f"{HERE}.shop.tasks.newer", {"args": []})

        async def put_back() -> bool:
            found = await client.queue("default").get(job.id)
            return found is not None and found.state is JobState.DELAYED

        while not await put_back():
            await asyncio.sleep(0)
    found = await client.queue("default").get(job.id)
    assert found is not None
    assert found.attempts_made == 0


async def _until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0)
