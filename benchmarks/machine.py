"""What the machine is, and whether somebody else is using it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """CPU seconds that the whole machine has spent on anything, all cores together."""
    fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return (fields[0] + fields[1] + fields[2] + fields[5] + fields[6] + fields[7]) / TICKS


def wait_until_quiet(patience: float, share: float = 0.15) -> float:
    """Wait, at most `patience` seconds, until less than `share` of a core is busy. Returns the share seen last."""
    if not patience:
        return 0.0
    end = time.monotonic() + patience
    while True:
        before, started = busy_seconds(), time.monotonic()
        time.sleep(0.4)
        seen = (busy_seconds() - before) / (time.monotonic() - started)
        if seen < share or time.monotonic() > end:
            return round(seen, 2)


@contextmanager
def one_core(store: Sequence[int]) -> Iterator[None]:
    """Let the processes of a store, and whatever is started meanwhile, share a single core.

    Two programs that take turns wake each other for every call. Whether that wake-up crosses to a core that has gone
    to sleep, which costs more on a virtual machine than the call, is up to the scheduler, and differs from run to run.
    """
    allowed = os.sched_getaffinity(0)
    core = {max(allowed)}
    try:
        _pin([0, *store], core)
        yield
    finally:
        _pin([0, *store], allowed)


def _pin(processes: Sequence[int], cores: set[int]) -> None:
    for process in processes:
        threads = [int(each) for each in os.listdir(f"/proc/{process or os.getpid()}/task")]  # noqa: PTH208
        for thread in threads:
            with suppress(ProcessLookupError):
                os.sched_setaffinity(thread, cores)


def describe() -> dict[str, str]:
    """The machine in words, for the report."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{int((_first('/proc/meminfo', 'MemTotal') or '0').split()[0]) / 2**20:.0f} GiB",
        "system": _os_name(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _first(path: str, key: str) -> str | None:
    for line in Path(path).read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


def _os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.platform()
