"""A reloader starts its process again when code changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog

from corral.worker.supervision.reloader import Reloader
from tests.worker.supervision.nursery import Nursery


@pytest.fixture
async def reloading(nursery: Nursery, tmp_path: Path) -> AsyncIterator[Reloader]:
    """A reloader at work in `tmp_path`."""
    (tmp_path / "app.py").write_text("one = 1\n")
    reloader = Reloader(nursery.command, tmp_path)
    task = asyncio.create_task(reloader.run())
    await reloader.watching.wait()
    yield reloader
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_change_restarts_the_process_gently(
    nursery: Nursery, reloading: Reloader, tmp_path: Path
) -> None:
    """The old process gets one SIGTERM and ends by itself; then a new one starts. The changed file is named."""
    first = await nursery.child()
    with structlog.testing.capture_logs() as logs:
        (tmp_path / "app.py").write_text("one = 2\n")
        assert await first.says() == "signal 1"
        await first.gone()
        second = await nursery.child()
    assert second.pid != first.pid
    assert [line["changed"] for line in logs if line["event"] == "Reloading"] == ["app.py"]


async def test_a_process_that_ended_waits_for_a_change(
    nursery: Nursery, reloading: Reloader, tmp_path: Path
) -> None:
    """After a crash, as by a syntax error, nothing is started until somebody mends the code."""
    first = await nursery.child()
    with structlog.testing.capture_logs() as logs:
        first.tell("exit 1")
        await first.gone()
        assert nursery.nobody_waits
        (tmp_path / "app.py").write_text("one = 3\n")
        await nursery.child()
    assert [line["exit"] for line in logs if "waiting for a change" in line["event"]] == [1]


async def test_only_python_files_count(nursery: Nursery, reloading: Reloader, tmp_path: Path) -> None:
    """A data file changes nothing: of a data file and then a module, the module alone is named."""
    await nursery.child()
    with structlog.testing.capture_logs() as logs:
        (tmp_path / "data.json").write_text("{}")
        (tmp_path / "other.py").write_text("two = 2\n")
        await nursery.child()
    assert [line["changed"] for line in logs if line["event"] == "Reloading"] == ["other.py"]


async def test_its_watcher_is_silent(reloading: Reloader) -> None:
    """watchfiles' own remark on each change is not repeated in the log."""
    assert logging.getLogger("watchfiles").level == logging.WARNING
