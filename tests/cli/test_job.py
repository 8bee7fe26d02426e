"""`corral job` shows everything that is kept of one job."""

from __future__ import annotations

import json
from collections.abc import Callable

import redis

from corral import SyncClient
from tests.cli.conftest import Command
from tests.cli.program import Program


def test_a_job_that_was_run(
    command: Command, program: Callable[..., Program], client: SyncClient, queue_name: str
) -> None:
    """State, result, log lines; for a failed one the reason and the stack trace."""
    worker = program("worker", "shop:jobs")
    good = client.queue(queue_name).enqueue("greet", "Ada", job_id="good")
    bad = client.queue(queue_name).enqueue("refuse", "Bob", job_id="bad")
    good.wait(30)
    bad.wait(30)
    assert worker.stop() == 0
    shown = command("job", "show", queue_name, "good").stdout
    assert "completed" in shown
    assert "hello Ada" in shown
    assert "greeting Ada" in shown
    shown = command("job", "show", queue_name, "bad").stdout
    assert "not for Bob" in shown
    assert "shop.py" in shown
    assert "attempt 1 failed" in shown


def test_as_json(command: Command, client: SyncClient, queue_name: str) -> None:
    """`--json` has all fields, options as stored, and times with their zone."""
    client.queue(queue_name).enqueue("greet", {"to": "Ada"}, job_id="one", delay=60)
    job = json.loads(command("job", "show", queue_name, "one", "--json").stdout)
    assert (job["id"], job["state"], job["data"], job["delay"]) == ("one", "delayed", {"to": "Ada"}, 60000)
    assert job["opts"]["delay"] == 60000
    assert job["timestamp"].endswith("+00:00")
    assert job["logs"] == []


def test_a_job_that_is_not_there(command: Command, queue_name: str) -> None:
    """An id that is not kept is exit code 1."""
    result = command("job", "show", queue_name, "nobody")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no job 'nobody'" in result.stderr


def test_hostile_text(command: Command, redis_url: str, prefix: str, queue_name: str) -> None:
    """What other programs stored cannot colour, move or forge anything on the terminal; what is malformed is named."""
    with redis.Redis.from_url(redis_url) as raw:
        hostile = "\x1b[31mred\x1b[2J\r\nstate completed"
        raw.hset(
            f"{prefix}:{queue_name}:evil",
            mapping={"name": hostile, "data": "{not json", "failedReason": hostile},
        )
        raw.rpush(f"{prefix}:{queue_name}:evil:logs", hostile)
    shown = command("job", "show", queue_name, "evil").stdout
    assert "\x1b" not in shown
    assert "\r" not in shown
    assert "not JSON" in shown
