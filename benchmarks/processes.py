"""CPU time and memory of the processes of one session: a worker with whatever it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import TICKS


def members(session: int) -> list[int]:
    """The live processes of a session."""
    return [pid for pid, fields in _all_stats() if int(fields[3]) == session and fields[0] != "Z"]


def cpu_of(pid: int) -> float:
    """CPU seconds of one process with all its threads, to the nanosecond; 0 when it is gone."""
    with contextlib.suppress(OSError):
        return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(3) makes of a pid
    return 0.0


def cpu_of_session(session: int) -> float:
    """CPU seconds of a session's live processes."""
    return sum(cpu_of(pid) for pid in members(session))


def cpu_of_family(parent: int) -> float:
    """CPU seconds of a server that forks: the parent, its live children, and those that it has waited for."""
    total = 0
    for pid, fields in _all_stats():
        if pid == parent:
            total += sum(int(field) for field in fields[11:15])
        elif int(fields[1]) == parent:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def family(parent: int) -> list[int]:
    """A server that forks: the parent and its live children."""
    return [parent, *(pid for pid, fields in _all_stats() if int(fields[1]) == parent)]


def memory_of_session(session: int) -> tuple[float, float]:
    """PSS and RSS in MiB, summed over a session: shared pages count in the first by their share."""
    pss = rss = 0
    for pid in members(session):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    pss += int(line.split()[1])
                elif line.startswith("Rss:"):
                    rss += int(line.split()[1])
    return round(pss / 1024, 1), round(rss / 1024, 1)


def kill_session(session: int) -> None:
    """End our own session's processes, at once."""
    for _ in range(2):
        for pid in members(session):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _all_stats() -> Iterator[tuple[int, list[str]]]:
    """Yield each process's id and the fields of its /proc/PID/stat from the state on."""
    for entry in os.listdir("/proc"):  # noqa: PTH208 (names, not paths)
        if entry.isdigit():
            with contextlib.suppress(OSError):
                yield int(entry), Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
