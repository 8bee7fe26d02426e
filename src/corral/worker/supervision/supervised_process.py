"""A process that this one started, watches and stops, and that dies with it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import IO, Final

from corral.worker.isolation.process_exit import wait_exit
from corral.worker.supervision.lifeline import LIFELINE

__all__ = ["SupervisedProcess", "stopped_code"]

KILL_AFTER: Final = 10.0
"""Seconds that a process may take to end after it was told twice to stop."""


class SupervisedProcess:
    """One child. It has a process group of its own, so that the terminal's Ctrl-C reaches the supervisor alone, which
    passes it on: else every worker would get it twice, and twice means at once.

    Its program calls `hold_lifeline`, to die with this process. `environ` is added to the environment; `output`, a
    file, takes what it prints; `inherited` are descriptors that it gets too.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        *,
        output: IO[bytes] | None = None,
        inherited: Sequence[int] = (),
    ) -> None:
        theirs, ours = os.pipe()
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[theirs, *inherited],
                process_group=0,
                env={**os.environ, **(environ or {}), LIFELINE: f"{os.getpid()}:{theirs}"},
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._lifeline = ours
        self.ended: asyncio.Task[int] = asyncio.create_task(self._watch(), name="corral-supervised-process")
        """Done when it has ended, with its exit code (negative: the signal)."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def stop(self) -> None:
        """Tell it to stop: the first time gently, the second time now. Nothing happens when it has ended."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self._send(signal.SIGKILL)

    async def end(self, patience: float | None) -> int:
        """Stop it and return its exit code. After `patience` seconds it hands its jobs back; should it not answer
        even to that, it is killed."""
        self.stop()
        if not await self._has_ended(patience):
            self.stop()
            if not await self._has_ended(KILL_AFTER):
                self.kill()
        return await asyncio.shield(self.ended)

    async def _has_ended(self, within: float | None) -> bool:
        done, _ = await asyncio.wait({self.ended}, timeout=within)
        return bool(done)

    async def _watch(self) -> int:
        try:
            return await wait_exit(self._process)
        finally:
            os.close(self._lifeline)

    def _send(self, number: signal.Signals) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)


def stopped_code(code: int) -> int:
    """The exit code of a process that was told to stop: one that was still starting, and so had no work to finish,
    is ended by the signal itself, and that is as good."""
    return 0 if code == -signal.SIGTERM else code
