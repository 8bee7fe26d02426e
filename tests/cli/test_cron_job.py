"""`corral cron-job …` keeps the cron jobs of the database, and `corral log` shows what was done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from corral import SyncClient
from tests.cli.conftest import Command
from tests.cli.program import Program


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database that is not there yet."""
    url = f"sqlite:///{tmp_path / 'corral.db'}"
    monkeypatch.setenv("CORRAL_DATABASE_URL", url)
    return url


def test_from_making_to_deleting(command: Command) -> None:
    """A cron job is made, shown, changed and deleted; each is in the operator log, by name of who did it."""
    made = command("cron-job", "create", "digest", "0 9 * * *", "greet", '"Ada"', "--queue", "mail")
    assert made.exit_code == 0, made.stderr
    shown = json.loads(command("cron-job", "show", "digest", "--json").stdout)
    assert (shown["pattern"], shown["payload"], shown["enabled"]) == ("0 9 * * *", "Ada", True)
    assert command("cron-job", "update", "digest", "--tz", "Europe/Berlin", "--disabled").exit_code == 0
    [row] = json.loads(command("cron-job", "list", "--json").stdout)
    assert (row["tz"], row["enabled"], row["owner"]) == ("Europe/Berlin", False, "operator")
    assert "digest" in command("cron-job", "list").stdout
    assert command("cron-job", "delete", "digest").exit_code == 1, "nobody agreed"
    assert command("cron-job", "delete", "digest", "--yes").exit_code == 0
    assert command("cron-job", "show", "digest").exit_code == 1
    log = json.loads(command("log", "--json").stdout)
    assert [one["action"] for one in log] == ["cronJob.delete", "cronJob.update", "cronJob.create"]
    assert log[1]["detail"] == {"changed": ["enabled", "tz"]}
    assert "cronJob.update" in command("log", "--action", "cronJob.update").stdout
    assert "no entries" in command("log", "--actor", "nobody").stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "one", "61 * * * *", "greet", "--queue", "mail"),
        ("create", "one", "0 9 * * *", "greet", "{no json", "--queue", "mail"),
        ("update", "one"),
    ],
    ids=["pattern", "payload", "no change"],
)
def test_what_cannot_be(command: Command, arguments: tuple[str, ...]) -> None:
    """It is exit code 2, and nothing is stored."""
    assert command("cron-job", *arguments).exit_code == 2
    assert json.loads(command("cron-job", "list", "--json").stdout) == []


def test_trigger(
    command: Command, program: Callable[..., Program], client: SyncClient, queue_name: str, database: str
) -> None:
    """One that is off runs at once; with its tasks known, its queue need not be said, and a payload is checked."""
    environ = {"CORRAL_DATABASE_URL": database}
    wrong = ("cron-job", "create", "hello", "0 9 * * *", "greet", "7", "--tasks", "shop:jobs")
    assert program(*wrong, **environ).ended() == 2
    right = (*wrong[:5], '"Ada"', *wrong[6:], "--disabled")
    assert program(*right, **environ).ended() == 0
    job_id = command("cron-job", "trigger", "hello").stdout.strip()
    program("worker", "shop:worker")
    assert client.queue(queue_name).job(job_id).result(30) == "hello Ada"
