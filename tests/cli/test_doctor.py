"""`corral doctor` examines a server; what is found is specified with `corral.admin`."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.cli.conftest import Command
from tests.servers import ServerProcess


def test_a_healthy_server(command: Command, make_server: Callable[..., ServerProcess]) -> None:
    """Nothing that loses jobs: exit code 0, one line for each thing looked at."""
    server = make_server(appendonly="everysec")
    result = command("doctor", "--url", server.url)
    assert result.exit_code == 0, result.output
    assert "append-only file" in result.stdout
    assert "→ " not in result.stdout


def test_a_server_that_loses_jobs(command: Command) -> None:
    """A problem is exit code 1, with the remedy below it; the same as JSON for monitoring."""
    result = command("doctor")
    assert result.exit_code == 1
    assert "→ CONFIG SET appendonly yes" in result.stdout
    machine = command("doctor", "--json")
    assert machine.exit_code == 1
    findings = {finding["check"]: finding for finding in json.loads(machine.stdout)}
    assert findings["persistence"]["severity"] == "problem"
