"""Advisory file locks: they end with the process that holds them, however it ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX

_PAUSE = 0.005


def open_lock(path: Path) -> int:
    """Open (and create) a lock file; return a descriptor that child programs do not inherit."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take the lock, or change its kind, if that is possible at once."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_lock(descriptor: int, kind: int, deadline: float) -> bool:
    """Take the lock before `deadline` (of `time.monotonic`); False when that did not work out.

    It asks again and again, because a `flock` that blocks cannot be given a deadline.
    """
    while not try_lock(descriptor, kind):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PAUSE)
    return True


def is_owned(path: Path) -> bool:
    """Tell whether a process holds this lock exclusively."""
    descriptor = open_lock(path)
    try:
        return not try_lock(descriptor, SHARED)
    finally:
        os.close(descriptor)
