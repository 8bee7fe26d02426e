"""File locks decide who may start and stop a server."""

from __future__ import annotations

import os
import time
from pathlib import Path

from corral.embedded.locks import EXCLUSIVE, SHARED, is_owned, open_lock, try_lock, wait_lock


def test_shared_locks_share_and_an_exclusive_one_does_not(tmp_path: Path) -> None:
    """Many may share a lock; nobody owns it meanwhile."""
    one, two, three = (open_lock(tmp_path / "l") for _ in range(3))
    assert try_lock(one, SHARED)
    assert try_lock(two, SHARED)
    assert not try_lock(three, EXCLUSIVE)
    assert not is_owned(tmp_path / "l")
    os.close(two)
    assert try_lock(one, EXCLUSIVE)
    assert is_owned(tmp_path / "l")
    os.close(one)
    assert not is_owned(tmp_path / "l")
    os.close(three)


def test_waiting_ends_at_the_deadline(tmp_path: Path) -> None:
    """A lock that stays taken is given up at the deadline."""
    one, two = open_lock(tmp_path / "l"), open_lock(tmp_path / "l")
    assert try_lock(one, EXCLUSIVE)
    assert not wait_lock(two, SHARED, time.monotonic() + 0.01)
    os.close(one)
    assert wait_lock(two, SHARED, time.monotonic())
    os.close(two)
