"""The worker of a project, as a command and as a target."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.tasks.exceptions import InvalidTaskBackend
from django.test import override_settings

from corral import SyncClient
from corral.frameworks.django import django_worker
from tests.frameworks.django.conftest import Configure
from tests.frameworks.django.shop import tasks
from tests.house.source import ROOT

MANAGE = [sys.executable, "-m", "django", "corral_worker"]
TARGET = [sys.executable, "-m", "corral.cli", "worker", "corral.frameworks.django:django_worker"]


@contextmanager
def running(
    command: Sequence[str], redis_url: str, prefix: str, folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """A process of the project; it is told to stop at the end, and does."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.frameworks.django.settings",
        "PYTHONPATH": str(ROOT),
        "SHOP_REDIS_URL": redis_url,
        "SHOP_PREFIX": prefix,
    }
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            printed = process.communicate(timeout=60)[0]
            assert process.returncode == 0, printed
        finally:
            process.kill()


@pytest.mark.parametrize("command", [MANAGE, TARGET], ids=["manage.py corral_worker", "corral worker"])
def test_a_process_runs_the_tasks_of_the_project(
    command: list[str], redis_url: str, prefix: str, tmp_path: Path
) -> None:
    """Both commands find the project by DJANGO_SETTINGS_MODULE, run its tasks, and end when they are told to."""
    result = tasks.add.enqueue(20, 22)
    with running(command, redis_url, prefix, tmp_path), SyncClient(redis_url, prefix=prefix) as client:
        queue, _, job_id = result.id.partition(":")
        assert client.queue(queue).job(job_id).result(timeout=60) == 42


def test_only_the_queues_that_are_named() -> None:
    """`--queue` leaves the others to other workers."""
    assert django_worker(queues=["email"]).queues == ["email"]
    assert django_worker().queues == ["default", "email"]


def test_a_backend_of_another_kind_is_refused() -> None:
    """There is nothing to run for a backend that keeps its tasks elsewhere."""
    immediate = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
    with override_settings(TASKS=immediate), pytest.raises(ImproperlyConfigured, match="no CorralBackend"):
        django_worker()


def test_a_backend_that_does_not_exist() -> None:
    """An alias that TASKS does not have is Django's own error."""
    with pytest.raises(InvalidTaskBackend):
        django_worker("other")


def test_queues_that_the_backend_does_not_have(project: Configure) -> None:
    """A queue that nothing is enqueued to, and none at all where any is possible."""
    with pytest.raises(ImproperlyConfigured, match="add it to its QUEUES"):
        django_worker(queues=["sms"])
    project(queues=[])
    with pytest.raises(ImproperlyConfigured, match="say which of them to serve"):
        django_worker()
    assert django_worker(queues=["sms"]).queues == ["sms"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--queue", "sms"], "add it to its QUEUES"),
        (["--backend", "other"], "other"),
        (["--concurrency", "0"], "concurrency"),
    ],
    ids=["queue", "backend", "concurrency"],
)
def test_the_command_says_what_is_wrong(arguments: list[str], words: str) -> None:
    """A worker that cannot start is one line, and no traceback."""
    with pytest.raises(CommandError, match=words):
        call_command("corral_worker", *arguments, stdout=StringIO())


def test_a_second_backend(redis_url: str, prefix: str) -> None:
    """A project may have several backends; each has workers of its own."""
    second = {**settings.TASKS["default"], "QUEUES": ["reports"]}
    with override_settings(TASKS={**settings.TASKS, "slow": second}):
        result = tasks.add.using(backend="slow", queue_name="reports").enqueue(1, 2)
        assert result.backend == "slow"
        assert django_worker("slow").queues == ["reports"]
        assert result.task.get_backend().get_result(result.id).task.backend == "slow"
