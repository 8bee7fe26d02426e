"""Data directories for embedded servers, and members: their users in processes of their own."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.embedded.locks import await_end
from tests.servers import program_of

MEMBER = Path(__file__).with_name("member.py")


class Member:
    """One process that uses the server of a directory."""

    def __init__(self, directory: Path, program: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(MEMBER), str(directory), str(program)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def joined(self) -> str:
        """Wait until it has joined; return the URL that it was given."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> None:
        """Let it leave, and wait until it has."""
        self.process.communicate(timeout=30)

    def kill9(self) -> None:
        """Kill it without warning."""
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture
def directory() -> Iterator[Path]:
    """A data directory with a short path; its server must not outlive the test."""
    path = Path(tempfile.mkdtemp(prefix="corral-embedded-"))
    yield path / "data"
    for locks in path.rglob("locks"):
        await_end(locks.parent)
    shutil.rmtree(path)


@pytest.fixture(autouse=True)
def _program(server_kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, run the kind of server that the whole run tests against."""
    monkeypatch.setattr("corral.embedded.server.find_server", lambda: program_of(server_kind))


@pytest.fixture
def member(directory: Path, server_kind: str) -> Iterator[Callable[[], Member]]:
    """Make members of the directory; those left over are killed."""
    members: list[Member] = []

    def make() -> Member:
        members.append(Member(directory, program_of(server_kind)))
        return members[-1]

    yield make
    for one in members:
        if one.process.returncode is None:
            one.kill9()
