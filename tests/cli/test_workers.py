"""Workers, listed and told from the shell."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.cli.conftest import Command
from tests.cli.program import Program
from tests.cli.test_health import until

Start = Callable[..., Program]


def test_workers(program: Start, command: Command, queue_name: str) -> None:
    """A worker is listed; drained, resumed and resized, it answers with its record."""
    assert command("workers", "list").stdout == ""
    worker = program("worker", "shop:worker")
    worker.says("Worker started")

    def record() -> dict[str, object]:
        found = json.loads(command("workers", "list", "--json").stdout)
        return found[0] if found and found[0]["beat"] else {}

    name = str(until(record, bool)["name"])
    table = command("workers", "list", "--queue", queue_name).stdout
    assert name in table
    assert "0 of 10" in table
    assert command("workers", "drain", name).exit_code == 0
    until(record, lambda found: found["state"] == "draining")
    assert command("workers", "resume", name).exit_code == 0
    until(record, lambda found: found["state"] == "running")
    assert command("workers", "concurrency", name, "3", "--queue", queue_name).exit_code == 0
    until(record, lambda found: found["concurrency"] == {queue_name: 3})
    assert worker.stop() == 0


def test_nobody_of_that_name(command: Command) -> None:
    """An order to nobody is exit code 1, with the reason."""
    result = command("workers", "drain", "nobody")
    assert result.exit_code == 1
    assert "none of this name" in result.stderr
