"""The file to which every handler appends one record of 20 bytes per job."""

from __future__ import annotations

import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

SIZE = 20
_LAYOUT = struct.Struct("<IIId")


class Record(NamedTuple):
    """A job that ran: in which process, its number, and when (CLOCK_MONOTONIC, which all processes share)."""

    pid: int
    event: int
    number: int
    at: float


@dataclass(frozen=True, slots=True)
class RecordLog:
    """One such file, empty to begin with."""

    path: Path

    @classmethod
    def fresh(cls, path: Path) -> RecordLog:
        """Make it, or empty it."""
        path.write_bytes(b"")
        return cls(path)

    def count(self) -> int:
        """How many records there are."""
        return self.path.stat().st_size // SIZE

    def read(self) -> list[Record]:
        """All whole records."""
        content = self.path.read_bytes()
        whole = content[: len(content) // SIZE * SIZE]
        return [Record(*fields) for fields in _LAYOUT.iter_unpack(whole)]

    def wait(self, count: int, seconds: float, pause: float = 0.01) -> int:
        """Wait until there are `count`, at most so many seconds. Returns how many there are."""
        end = time.monotonic() + seconds
        while (seen := self.count()) < count and time.monotonic() < end:
            time.sleep(pause)
        return seen
