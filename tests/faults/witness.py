"""What handlers did, told by a local file: not by the server under test, and complete though the process be killed."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple


class Sighting(NamedTuple):
    """One line of the file. `at` is the machine's monotonic clock, the same in all processes."""

    what: str
    job: str
    pid: int
    at: float


class Witness:
    """An append-only file. Each line is written by one system call, so that lines never mix."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._seen: list[Sighting] = []
        self._read_up_to = 0

    def say(self, what: str, job: str = "") -> None:
        """Add a line."""
        line = json.dumps([what, job, os.getpid(), time.monotonic()])
        os.write(self._fd, line.encode() + b"\n")

    def read(self, what: str | None = None, job: str | None = None) -> list[Sighting]:
        """What was seen so far, in order. A line that is being written has no end yet: it is not read."""
        with self.path.open("rb") as file:
            file.seek(self._read_up_to)
            whole, end, _ = file.read().rpartition(b"\n")
        self._read_up_to += len(whole) + len(end)
        self._seen += [Sighting(*json.loads(line)) for line in whole.splitlines()]
        return [each for each in self._seen if what in (None, each.what) and job in (None, each.job)]

    def wait(
        self, what: str, job: str | None = None, *, count: int = 1, within: float = 15.0
    ) -> list[Sighting]:
        """Wait until something was seen `count` times, and return those."""
        until(lambda: len(self.read(what, job)) >= count, within, f"{count} × {what} {job or ''}")
        return self.read(what, job)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def until(condition: Callable[[], Any], within: float, what: str) -> None:
    """Wait until a condition holds; fail after `within` seconds."""
    deadline = time.monotonic() + within
    never = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        never.wait(0.02)
