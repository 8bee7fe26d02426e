"""`corral failures …` shows failures by cause, and runs them again or removes them, after saying how many."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from corral import SyncClient
from tests.cli.conftest import Command
from tests.cli.program import Program


@pytest.fixture
def failed(program: Callable[..., Program], client: SyncClient, queue_name: str) -> str:
    """Jobs that failed for two causes; the fingerprint of what their handler said."""
    worker = program("worker", "shop:jobs")
    for name in ("Ann", "Bob"):
        client.queue(queue_name).enqueue("refuse", f"'{name}'", job_id=name).wait(30)
    client.queue(queue_name).enqueue("greet", {"no": "text"}, job_id="Cleo").wait(30)
    assert worker.stop() == 0
    return queue_name


def groups(command: Command, queue: str, *more: str) -> dict[str, int]:
    """How many jobs each kind has."""
    found = json.loads(command("failures", "list", queue, "--json", *more).stdout)
    return {group["kind"]: group["count"] for group in found["groups"]}


def test_by_cause(command: Command, failed: str) -> None:
    """The list has a line for each cause; the jobs of a cause are listed by its fingerprint."""
    assert groups(command, failed) == {"permanent": 2, "invalid-payload": 1}
    assert groups(command, failed, "--kind", "invalid-payload") == {"invalid-payload": 1}
    found = json.loads(command("failures", "list", failed, "--kind", "permanent", "--json").stdout)
    fingerprint = found["groups"][0]["fingerprint"]
    assert fingerprint in command("failures", "list", failed).stdout
    jobs = json.loads(command("failures", "jobs", failed, fingerprint, "--json").stdout)
    assert {job["id"] for job in jobs} == {"Ann", "Bob"}
    asked = command("failures", "retry", failed, "--fingerprint", fingerprint)
    assert (asked.exit_code, "Run 2 failed jobs" in asked.stderr) == (1, True)
    assert command("failures", "retry", failed, "--fingerprint", fingerprint, "--yes").stdout == "2\n"
    assert groups(command, failed) == {"invalid-payload": 1}


def test_remove(command: Command, failed: str) -> None:
    """Removing takes what matches, after the question."""
    asked = command("failures", "remove", failed, "--task", "greet")
    assert (asked.exit_code, "Remove 1 failed jobs" in asked.stderr) == (1, True)
    assert command("failures", "remove", failed, "--task", "greet", "--yes").stdout == "1\n"
    assert groups(command, failed) == {"permanent": 2}
    assert command("failures", "remove", failed, "--limit", "1", "--yes").stdout == "1\n"


def test_nothing_and_nonsense(command: Command, failed: str) -> None:
    """That there is none of a kind is said; a kind that cannot be is exit code 2, a queue that is none 1."""
    assert "no failures" in command("failures", "list", failed, "--kind", "poison").stderr
    assert command("failures", "list", failed, "--kind", "nonsense").exit_code == 2
    assert command("failures", "retry", "nowhere", "--yes").exit_code == 1


def test_replay(command: Command, failed: str, program: Callable[..., Program], client: SyncClient) -> None:
    """A job that failed runs again with another payload; one that the task refuses changes nothing."""
    refused = program("job", "replay", failed, "Cleo", "7", "--tasks", "shop:jobs")
    assert refused.ended() == 2
    assert groups(command, failed) == {"permanent": 2, "invalid-payload": 1}
    replayed = program("job", "replay", failed, "Cleo", '"Cleo"', "--tasks", "shop:jobs")
    assert replayed.ended() == 0
    worker = program("worker", "shop:jobs")
    assert client.queue(failed).job("Cleo").result(30) == "hello Cleo"
    assert worker.stop() == 0
    assert command("job", "replay", failed, "nobody", "1").exit_code == 1
