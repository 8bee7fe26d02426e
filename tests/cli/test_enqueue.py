"""`corral enqueue` adds one job, and can wait for its result."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from corral import JobState, SyncClient
from tests.cli.conftest import Command
from tests.cli.program import Program


def test_it_prints_the_id(command: Command, client: SyncClient, queue_name: str) -> None:
    """The id alone goes to standard output, so that a script can keep it; name and payload are stored."""
    result = command("enqueue", queue_name, "image.resize", '{"width": 3}')
    assert result.exit_code == 0, result.output
    job = client.queue(queue_name).get(result.stdout.strip())
    assert job is not None
    assert (job.name, job.data, job.state) == ("image.resize", {"width": 3}, JobState.WAITING)


def test_options(command: Command, client: SyncClient, queue_name: str) -> None:
    """Delay, priority, attempts and id are those of `enqueue`."""
    command("enqueue", queue_name, "a", "{}", "--delay", "5m", "--attempts", "7", "--job-id", "first")
    command("enqueue", queue_name, "a", "{}", "--priority", "3", "--job-id", "second")
    first, second = client.queue(queue_name).get("first"), client.queue(queue_name).get("second")
    assert first is not None
    assert second is not None
    assert (first.state, first.delay, first.opts.attempts) == (JobState.DELAYED, 300_000, 7)
    assert (second.state, second.priority) == (JobState.PRIORITIZED, 3)


def test_an_id_that_is_there(command: Command, queue_name: str) -> None:
    """The same id again adds nothing and says so, beside the output."""
    command("enqueue", queue_name, "a", "{}", "--job-id", "same")
    again = command("enqueue", queue_name, "a", "{}", "--job-id", "same")
    assert (again.exit_code, again.stdout.strip()) == (0, "same")
    assert "was there already" in again.stderr


def test_the_payload_may_come_from_standard_input(
    command: Command, client: SyncClient, queue_name: str
) -> None:
    """`-` reads the payload, for what is long or secret."""
    result = command("enqueue", queue_name, "a", "-", input='["long", "and secret"]')
    job = client.queue(queue_name).get(result.stdout.strip())
    assert job is not None
    assert job.data == ["long", "and secret"]


@pytest.mark.parametrize("payload", ["{nope", "{'a': 1}", "NaN", '{"a": 1, "a": 2}', "hello"])
def test_what_is_not_json(command: Command, queue_name: str, payload: str) -> None:
    """A payload that is not strict JSON is refused with exit code 2, and nothing is stored."""
    result = command("enqueue", queue_name, "a", payload)
    assert result.exit_code == 2
    assert "not JSON" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a:b", "name"], "queue name"),
        (["q", "name", "{}", "--job-id", "7"], "job id"),
        (["q", "n", "--attempts", "0"], "attempts"),
    ],
)
def test_what_corral_refuses(command: Command, arguments: list[str], words: str) -> None:
    """Errors of Corral are one line that says the remedy, with exit code 2 for what the caller has to change."""
    result = command("enqueue", *arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_waiting_for_a_result(command: Command, program: Callable[..., Program], queue_name: str) -> None:
    """With `--wait` the result is printed as JSON; a job that fails is exit code 1 with its reason."""
    worker = program("worker", "shop:jobs")
    worker.says("Worker started")
    good = command("enqueue", queue_name, "greet", '"Ada"', "--wait", "20")
    assert (good.exit_code, json.loads(good.stdout)) == (0, "hello Ada")
    bad = command("enqueue", queue_name, "refuse", '"Bob"', "--wait", "20")
    assert bad.exit_code == 1
    assert "not for Bob" in bad.stderr
    assert worker.stop() == 0


def test_waiting_has_an_end(command: Command, queue_name: str) -> None:
    """A job that has not ended in time is exit code 1, and its state is told."""
    result = command("enqueue", queue_name, "a", "--wait", "10ms")
    assert result.exit_code == 1
    assert "it is waiting" in result.stderr


def test_no_server(command: Command, queue_name: str) -> None:
    """A server that refuses connections is told after the stated time, as an error of exit code 1."""
    result = command("enqueue", queue_name, "a", "--url", "redis://127.0.0.1:1")
    assert result.exit_code == 1
    assert "gave no answer within 5 s" in result.stderr
