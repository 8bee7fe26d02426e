"""`corral job …` looks at jobs, runs them again or sooner, changes and removes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from corral import SyncClient
from tests.cli.conftest import Command
from tests.cli.program import Program


@pytest.fixture
def failed(program: Callable[..., Program], client: SyncClient, queue_name: str) -> list[str]:
    """Three jobs that have failed, for Ann, Bob and Cleo."""
    worker = program("worker", "shop:jobs")
    jobs = [client.queue(queue_name).enqueue("refuse", name, job_id=name) for name in ("Ann", "Bob", "Cleo")]
    for job in jobs:
        job.wait(30)
    assert worker.stop() == 0
    return [job.id for job in jobs]


def listed(command: Command, name: str, state: str) -> list[str]:
    """The ids of the jobs of a state, as the command tells them."""
    rows: list[dict[str, Any]] = json.loads(command("job", "list", name, "--state", state, "--json").stdout)
    return [row["id"] for row in rows]


def test_retry_what_matches(command: Command, queue_name: str, failed: list[str]) -> None:
    """--all with a filter runs those that match again, after the question that says how many; ids run just those."""
    asked = command("job", "retry", queue_name, "--all", "--reason", "for Bob")
    assert asked.exit_code == 1
    assert "Run 1 failed jobs" in asked.stderr
    assert command("job", "retry", queue_name, "--all", "--reason", "for Bob", "--yes").stdout == "1\n"
    assert listed(command, queue_name, "waiting") == ["Bob"]
    assert command("job", "retry", queue_name, "Ann").stdout == "1\n"
    assert sorted(listed(command, queue_name, "waiting")) == ["Ann", "Bob"]
    assert listed(command, queue_name, "failed") == ["Cleo"]


def test_cancel(command: Command, client: SyncClient, queue_name: str) -> None:
    """After the question: those that wait fail with the reason."""
    jobs = [client.queue(queue_name).enqueue("greet", name, job_id=name) for name in ("Ann", "Bob")]
    assert command("job", "cancel", queue_name, "Ann").exit_code == 1
    assert command("job", "cancel", queue_name, "Ann", "--reason", "gone", "--yes").stdout == "1\n"
    assert jobs[0].wait(5).failed_reason == "cancelled: gone"
    assert listed(command, queue_name, "waiting") == ["Bob"]


def test_those_that_cannot_be_are_named(command: Command, queue_name: str, failed: list[str]) -> None:
    """Of several ids, each that is refused is named with the reason, and the exit code is 1."""
    result = command("job", "retry", queue_name, "Ann", "nobody")
    assert (result.exit_code, result.stdout) == (1, "1\n")
    assert "nobody" in result.stderr


def test_ids_or_all(command: Command, client: SyncClient, queue_name: str) -> None:
    """Neither ids nor --all, both, or a filter beside ids is exit code 2, and nothing is done."""
    client.queue(queue_name).enqueue("a", 1, delay=60, job_id="one")
    assert command("job", "promote", queue_name).exit_code == 2
    assert command("job", "promote", queue_name, "one", "--all").exit_code == 2
    assert command("job", "retry", queue_name, "one", "--reason", "x").exit_code == 2
    assert listed(command, queue_name, "delayed") == ["one"]


def test_sooner_later_and_gone(command: Command, client: SyncClient, queue_name: str) -> None:
    """Delay, priority and payload can be changed; a delayed job promoted; a job removed after --yes."""
    client.queue(queue_name).enqueue("a", {"n": 1}, delay=60, job_id="one")
    client.queue(queue_name).enqueue("a", {"n": 2}, job_id="two")
    assert command("job", "delay", queue_name, "one", "2h").exit_code == 0
    assert command("job", "edit", queue_name, "one", '{"n": 3}').exit_code == 0
    assert command("job", "edit", queue_name, "one", "{n: 3}").exit_code == 2
    shown = json.loads(command("job", "show", queue_name, "one", "--json").stdout)
    assert (shown["data"], shown["delay"]) == ({"n": 3}, 7_200_000)
    assert "delayed until" in command("job", "explain", queue_name, "one").stdout
    assert command("job", "promote", queue_name, "--all", "--yes").stdout == "1\n"
    assert command("job", "priority", queue_name, "two", "7").exit_code == 0
    assert listed(command, queue_name, "prioritized") == ["two"]
    assert command("job", "remove", queue_name, "two").exit_code == 1
    assert command("job", "remove", queue_name, "two", "--yes").stdout == "1\n"
    assert command("job", "explain", queue_name, "two").exit_code == 1


def test_a_flow_is_drawn(command: Command, client: SyncClient, queue_name: str) -> None:
    """`tree` shows a job with those below it, each with its state."""
    queue = client.queue(queue_name)
    queue.node("parent", 1, children=[queue.node("child", 2), queue.node("child", 3)], job_id="top").enqueue(
        client
    )
    drawn = command("job", "tree", queue_name, "top").stdout
    assert drawn.count("child") == 3  # of these one in the parent's state
    assert "waiting-children" in drawn
    assert len(json.loads(command("job", "tree", queue_name, "top", "--json").stdout)["children"]) == 2
    assert command("job", "tree", queue_name, "nobody").exit_code == 1


def test_logs(command: Command, program: Callable[..., Program], client: SyncClient, queue_name: str) -> None:
    """A job's log lines are printed, and deleted by --clear."""
    worker = program("worker", "shop:jobs")
    client.queue(queue_name).enqueue("greet", "Ada", job_id="good").wait(30)
    assert worker.stop() == 0
    assert command("job", "logs", queue_name, "good").stdout == "greeting Ada\n"
    assert command("job", "logs", queue_name, "good", "--clear").exit_code == 0
    assert command("job", "logs", queue_name, "good").stdout == ""
