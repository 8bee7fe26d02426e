"""Learning that a child process has ended."""

from __future__ import annotations

import asyncio
import os
import subprocess

POLL_INTERVAL = 0.05


async def wait_exit(process: subprocess.Popen[bytes]) -> int:
    """Wait until the process has ended, and return its exit code (negative: the signal).

    By pidfd where there is one (Linux), which no descendant that keeps a pipe open can delay; else by
    asking often.
    """
    if not hasattr(os, "pidfd_open"):
        while (code := process.poll()) is None:  # noqa: ASYNC110 (nothing tells)
            await asyncio.sleep(POLL_INTERVAL)
        return code
    if (code := process.poll()) is not None:
        return code
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    descriptor = os.pidfd_open(process.pid)
    try:
        loop.add_reader(descriptor, ended.set)
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
    return process.wait()
