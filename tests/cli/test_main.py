"""The program as a whole."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tests.cli.conftest import Command


def test_version(command: Command) -> None:
    """`corral --version` says what is installed."""
    assert command("--version").stdout == f"corral {version('corral')}\n"


@pytest.mark.parametrize("name", ["worker", "dev", "enqueue", "queues", "job", "doctor"])
def test_every_command_explains_itself(command: Command, name: str) -> None:
    """Each command is listed with a line of what it does, and has a page of its own."""
    assert f" {name} " in command("--help").stdout
    assert command(name, "--help").exit_code == 0


def test_an_unknown_command(command: Command) -> None:
    """A command that does not exist is exit code 2."""
    assert command("wroker").exit_code == 2
