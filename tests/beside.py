"""Tests beside each other: what the processes of a parallel run (`-n 4`) must keep apart.

Each process has servers of its own, so that tests do not meet in data. They meet on the machine's cores: a test
that measures time is marked `alone`, and none of the others runs while it does.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from pathlib import Path

import pytest


class Beside:
    """One process of a parallel run. All share a lock on the machine; a test that is `alone` has it to itself."""

    def __init__(self, folder: Path) -> None:
        """Take part in the run whose processes keep their files in `folder`."""
        # Never deleted by us: a process that opened it later would hold another lock. pytest clears the folder.
        self._lock = (folder / "alone.lock").open("a")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Put the tests that run alone last, where nobody waits for them."""
        items.sort(key=_is_alone)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Hold the machine, alone or with the others, from the test's set-up to its end."""
        fcntl.flock(self._lock, fcntl.LOCK_EX if _is_alone(item) else fcntl.LOCK_SH)
        try:
            return (yield)
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def pytest_unconfigure(self) -> None:
        """Close the file."""
        self._lock.close()


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


def keep_apart(config: pytest.Config) -> None:
    """Keep tests apart, where this process is one of several."""
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Beside(Path(str(config.option.basetemp)).parent))
