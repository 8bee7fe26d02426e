"""The watchdog says which code keeps the event loop from running."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog

from corral.worker import watchdog
from corral.worker.watchdog import Watchdog


class Lines:
    """The watchdog's lines, which both a blocked loop and a test can wait for."""

    def __init__(self) -> None:
        self.all: list[MutableMapping[str, Any]] = []
        self.came = threading.Semaphore(0)

    def __call__(self, _logger: object, level: str, event: MutableMapping[str, Any]) -> str:
        event["level"] = level
        self.all.append(event)
        self.came.release()
        raise structlog.DropEvent


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What is logged."""
    found = Lines()
    structlog.configure(processors=[found])
    monkeypatch.setattr(watchdog, "LONGEST_INTERVAL", 0.05)
    yield found
    structlog.reset_defaults()


async def test_a_blocked_loop_is_shown_once(lines: Lines) -> None:
    """A block is reported once, with the line that blocks and its task; afterwards for how long it was."""
    with Watchdog(threshold=0.2) as watched:
        await asyncio.sleep(0)
        assert lines.came.acquire(timeout=10)  # blocks this loop until the warning is there
        assert not lines.came.acquire(timeout=0.3)  # and longer: no second warning
        assert await asyncio.to_thread(lines.came.acquire, timeout=10)
    assert [line["level"] for line in lines.all] == ["warning", "info"]
    warning, info = lines.all
    assert "lines.came.acquire(timeout=10)" in warning["stack"]
    assert warning["task"]
    assert info["seconds"] >= 0.5
    assert watched.blocks == 1


async def test_a_loop_that_runs_is_left_in_peace(lines: Lines) -> None:
    """Nothing is logged while the loop runs."""
    with Watchdog(threshold=0.5) as watched:
        assert not await asyncio.to_thread(lines.came.acquire, timeout=0.7)
    assert lines.all == []
    assert watched.blocks == 0


async def test_after_stop_nothing_is_watched(lines: Lines) -> None:
    """A stopped watchdog has no thread and reports nothing."""
    watched = Watchdog(threshold=0.1)
    watched.start()
    watched.stop()
    assert not lines.came.acquire(timeout=0.3)
    assert "corral-watchdog" not in [thread.name for thread in threading.enumerate()]


async def test_a_held_gil_is_reported_afterwards(lines: Lines) -> None:
    """Code that holds the GIL stops the watchdog too: the block is reported when it is over."""
    with Watchdog(threshold=0.1):
        await asyncio.sleep(0)
        pow(7, 3_000_000)  # one call of C code that never lets go of the GIL
        assert await asyncio.to_thread(lines.came.acquire, timeout=10)
    assert lines.all[0]["level"] == "warning"
