"""Waiting on the locks of a data directory, which tell when its processes have ended."""

from __future__ import annotations

import os
import time
from pathlib import Path

from corral.embedded.locks import EXCLUSIVE, open_lock, wait_lock


def await_end(directory: Path, *names: str, timeout: float = 20.0) -> None:
    """Wait until the locks (by default the keeper's and the server's) are free: their holders have ended."""
    deadline = time.monotonic() + timeout
    for name in names or ("keeper", "server"):
        descriptor = open_lock(directory / "locks" / name)
        free = wait_lock(descriptor, EXCLUSIVE, deadline)
        os.close(descriptor)
        assert free, f"the {name} of {directory} still runs after {timeout:g} s"
