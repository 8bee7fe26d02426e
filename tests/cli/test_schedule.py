"""`corral schedule …` makes, shows and removes schedules."""

from __future__ import annotations

import json

import pytest

from corral import SyncClient
from tests.cli.conftest import Command


@pytest.fixture
def name(client: SyncClient, queue_name: str) -> str:
    """A queue."""
    client.queue(queue_name).enqueue("a", 1)
    return queue_name


def test_from_making_to_removing(command: Command, name: str) -> None:
    """A schedule is made, listed, shown with its next runs, changed by the same command, and removed after --yes."""
    made = command(
        "schedule", "add", name, "daily", "report", '{"n": 1}', "--cron", "0 9 * * *", "--tz", "Europe/Berlin"
    )
    assert made.exit_code == 0
    (row,) = json.loads(command("schedule", "list", name, "--json").stdout)
    assert (row["id"], row["task"], row["rule"], row["data"]) == (
        "daily", "report", "0 9 * * * Europe/Berlin", {"n": 1},
    )  # fmt: skip
    assert len(json.loads(command("schedule", "show", name, "daily", "--json").stdout)["upcoming"]) == 10
    assert command("schedule", "add", name, "daily", "report", "--every", "5m").exit_code == 0
    assert "every 0:05:00" in command("schedule", "list", name).stdout
    assert command("schedule", "remove", name, "daily").exit_code == 1
    assert command("schedule", "remove", name, "daily", "--yes").exit_code == 0
    assert command("schedule", "show", name, "daily").exit_code == 1
    assert "no schedules" in command("schedule", "list", name).stderr


def test_preview(command: Command, name: str) -> None:
    """The next runs of a rule are told before it is stored; a pattern that cannot be is exit code 2 and says why."""
    runs = command("schedule", "preview", name, "--cron", "0 9 * * *", "--count", "3").stdout.splitlines()
    assert len(runs) == 3
    assert all("T09:00:00" in run for run in runs)
    wrong = command("schedule", "preview", name, "--cron", "61 * * * *")
    assert wrong.exit_code == 2
    assert "pattern" in wrong.stderr
    assert command("schedule", "preview", name).exit_code == 2
