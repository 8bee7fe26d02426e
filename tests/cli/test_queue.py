"""`corral queue …` does to a queue what its name says, and asks before something is lost."""

from __future__ import annotations

import json

import pytest

from corral import SyncClient
from tests.cli.conftest import Command


@pytest.fixture
def three(client: SyncClient, queue_name: str) -> str:
    """A queue with three jobs that wait, and one that is delayed."""
    client.queue(queue_name).enqueue_many("a", [1, 2, 3])
    client.queue(queue_name).enqueue("a", 4, delay=60)
    return queue_name


def counts(command: Command, name: str) -> dict[str, int]:
    """The jobs by state, as the command tells them."""
    shown: dict[str, dict[str, int]] = json.loads(command("queue", "show", name, "--json").stdout)
    return shown["counts"]


def test_a_slip_of_the_pen(command: Command, three: str) -> None:
    """A queue that does not exist is exit code 1, and is not made by that."""
    result = command("queue", "pause", f"{three}-typo")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no queue" in result.stderr
    assert [row["queue"] for row in json.loads(command("queues", "--json").stdout)] == [three]


def test_pause_and_resume(command: Command, three: str) -> None:
    """A paused queue is shown as such, until it is resumed."""
    assert command("queue", "pause", three).exit_code == 0
    assert json.loads(command("queue", "show", three, "--json").stdout)["settings"]["paused"] is True
    assert command("queue", "resume", three).exit_code == 0
    assert json.loads(command("queue", "show", three, "--json").stdout)["settings"]["paused"] is False


def test_nothing_is_lost_without_a_yes(command: Command, three: str) -> None:
    """Where nobody can be asked, only --yes removes; the question says how many jobs it is about."""
    refused = command("queue", "drain", three)
    assert refused.exit_code == 1
    assert "Remove 3 jobs" in refused.stderr
    assert counts(command, three)["waiting"] == 3
    assert command("queue", "drain", three, "--yes").stdout == "3\n"
    assert counts(command, three) | {"waiting": 0} == counts(command, three)
    assert counts(command, three)["delayed"] == 1
    assert command("queue", "obliterate", three).exit_code == 1
    assert command("queue", "obliterate", three, "--yes").exit_code == 0
    assert command("queues", "--json").stdout == "[]\n"


def test_clean(command: Command, three: str) -> None:
    """Old jobs of one state go, those that have not ended only after --yes; what is no state is exit code 2."""
    assert command("queue", "clean", three, "--state", "delayed", "--older-than", "0").exit_code == 1
    cleaned = command("queue", "clean", three, "--state", "delayed", "--older-than", "0", "--yes")
    assert cleaned.stdout == "1\n"
    assert command("queue", "clean", three, "--state", "failed", "--older-than", "7d").stdout == "0\n"
    assert command("queue", "clean", three, "--state", "old", "--older-than", "0", "--yes").exit_code == 2


def test_limits(command: Command, three: str) -> None:
    """Limits are set, shown and taken away; what is no number is exit code 2 and changes nothing."""
    assert command("queue", "limit", three, "--concurrency", "5", "--rate", "10/1s").exit_code == 0
    settings = json.loads(command("queue", "show", three, "--json").stdout)["settings"]
    assert settings["concurrency"] == 5
    assert settings["rate_limit"]["max"] == 10
    assert command("queue", "limit", three, "--concurrency", "none", "--rate", "fast").exit_code == 2
    assert command("queue", "limit", three, "--concurrency", "none", "--rate", "none").exit_code == 0
    settings = json.loads(command("queue", "show", three, "--json").stdout)["settings"]
    assert (settings["concurrency"], settings["rate_limit"]) == (None, None)
    assert "no job starts for 90 s" in command("queue", "hold", three, "90s").stderr


def test_orphans(command: Command, client: SyncClient, redis_url: str, prefix: str, three: str) -> None:
    """Jobs in no state are listed, and removed after --yes."""
    import redis

    with redis.Redis.from_url(redis_url) as raw:
        raw.hset(f"{prefix}:{three}:lost", mapping={"name": "a", "data": "{}", "timestamp": "1"})
    assert command("queue", "orphans", three).stdout == "lost\n"
    assert command("queue", "orphans", three, "--remove").exit_code == 1
    assert command("queue", "orphans", three, "--remove", "--yes").stdout == "1\n"
    assert command("queue", "orphans", three).stdout == ""
