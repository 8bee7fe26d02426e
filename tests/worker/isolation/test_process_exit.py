"""Learning that a child process has ended."""

from __future__ import annotations

import asyncio
import os
import subprocess

import pytest

from corral.worker.isolation.process_exit import wait_exit


@pytest.mark.parametrize("pidfd", [True, False])
async def test_the_exit_code_comes(monkeypatch: pytest.MonkeyPatch, pidfd: bool) -> None:
    """The exit code is returned, negative for a signal, with and without a pidfd."""
    if not pidfd:
        monkeypatch.delattr(os, "pidfd_open")
    process = subprocess.Popen(["sleep", "1000"])
    waiting = asyncio.create_task(wait_exit(process))
    await asyncio.sleep(0)
    process.kill()
    assert await asyncio.wait_for(waiting, 5) == -9


async def test_one_that_has_ended_already() -> None:
    """A process that has ended and was reaped before is no error."""
    process = subprocess.Popen(["true"])
    process.wait()
    assert await wait_exit(process) == 0
