"""A Corral worker in a process of its own, to be killed as a crash would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


class CorralProcess:
    """The process, and the line that it prints when its first job has started."""

    def __init__(self, url: str, prefix: str, queue: str, *, lock: float, stalled: float) -> None:
        """Start the worker: one job at a time; times in seconds."""
        words = [url, prefix, queue, str(lock), str(stalled)]
        command = [sys.executable, "-m", "tests.interop.corral_worker", *words]
        self._process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.DEVNULL)

    def kill9(self) -> None:
        """Kill it: nothing is given back."""
        self._process.kill()
        self._process.wait(10)


@contextmanager
def corral_process(
    url: str, prefix: str, queue: str, *, lock: float, stalled: float
) -> Iterator[CorralProcess]:
    """Run a worker process for the time of the block; it is killed at its end."""
    process = CorralProcess(url, prefix, queue, lock=lock, stalled=stalled)
    try:
        yield process
    finally:
        process.kill9()
