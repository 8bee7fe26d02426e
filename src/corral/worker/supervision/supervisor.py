"""Several worker processes under one parent: `corral worker … --processes N`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from corral.errors import InvalidOption
from corral.logs import get_logger
from corral.worker.shutdown import stop_signals
from corral.worker.supervision.supervised_process import KILL_AFTER, SupervisedProcess, stopped_code

__all__ = ["NOT_STARTABLE", "Supervisor", "restart_pause"]

log = get_logger("supervisor")

NOT_STARTABLE: Final = 2
"""The exit code of a process that cannot start until somebody changes something."""

PROVEN_AFTER: Final = 5.0
"""Seconds after which a process counts as one that can start."""

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
FORGIVEN_AFTER: Final = 60.0
"""Seconds without a crash after which the next one counts as the first."""


def restart_pause(crashes: int, first: float = FIRST_PAUSE, longest: float = LONGEST_PAUSE) -> float:
    """Seconds to wait before the restart that follows so many crashes in a row: doubled each time, to a limit."""
    return min(longest, first * 2.0 ** min(crashes - 1, 32))


class Supervisor:
    """Keeps N processes of one command running until it is told to stop.

    A process that ends by itself without an error was recycled (`max_jobs`, `max_memory`), and another takes its place
    at once. One that crashed is replaced after a pause that grows. One that says from the start that it cannot
    (exit code 2: no such module, a wrong password) is not tried again: all stop.

    `environ` gives what is added to the environment of the process of a number, from 1.

    SIGTERM and SIGINT are passed on: the first lets jobs in flight finish, the second hands them back, the third
    kills. Should the supervisor itself be killed, its processes die with it.
    """

    def __init__(
        self,
        command: Sequence[str],
        processes: int,
        *,
        first_pause: float = FIRST_PAUSE,
        longest_pause: float = LONGEST_PAUSE,
        environ: Callable[[int], Mapping[str, str]] | None = None,
    ) -> None:
        if processes < 1:
            raise InvalidOption("processes", processes, "give a whole number from 1")
        self._command = list(command)
        self._processes = processes
        self._pauses = (first_pause, longest_pause)
        self._environ = environ
        self._running: set[SupervisedProcess] = set()
        self._stopping = asyncio.Event()
        self._urged = 0
        self._proven = False
        self._codes: list[int] = []

    async def run(self) -> int:
        """Run until stopped. Returns the exit code: 0 when all ended as they should, 1 when one did not, 2 when they
        could not start."""
        log.info("Supervisor started", processes=self._processes)
        with stop_signals(self.stop, self._urge, announce=False):
            try:
                async with asyncio.TaskGroup() as group:
                    for number in range(1, self._processes + 1):
                        group.create_task(self._keep(number))
            finally:
                for process in list(self._running):
                    process.kill()
                await asyncio.gather(*(process.ended for process in self._running))
        code = NOT_STARTABLE if NOT_STARTABLE in self._codes else 1 if any(self._codes) else 0
        log.info("Supervisor stopped", exit=code)
        return code

    def stop(self) -> None:
        """Let all processes finish their jobs and end."""
        self._stopping.set()
        for process in list(self._running):
            process.stop()

    def _urge(self) -> None:
        """The second signal and those after it."""
        self._urged += 1
        for process in list(self._running):
            if self._urged == 1:
                process.stop()
                asyncio.get_running_loop().call_later(KILL_AFTER, process.kill)
            else:
                process.kill()

    async def _keep(self, number: int) -> None:
        """Keep one process running."""
        crashes = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            code = await self._run_one(number)
            lived = time.monotonic() - began
            if self._stopping.is_set():
                self._codes.append(stopped_code(code))
                return
            if code == 0:
                self._proven = True
                log.info("Worker process has served its time: starting another", process=number)
                continue
            self._proven = self._proven or lived > PROVEN_AFTER
            if code == NOT_STARTABLE and not self._proven:
                log.error("Worker process cannot start: see above", process=number)
                self._codes.append(code)
                self.stop()
                return
            crashes = 1 if lived > FORGIVEN_AFTER else crashes + 1
            await self._pause(number, code, restart_pause(crashes, *self._pauses))

    async def _run_one(self, number: int) -> int:
        process = SupervisedProcess(self._command, self._environ and self._environ(number))
        self._running.add(process)
        if self._stopping.is_set():
            process.stop()
        code = await asyncio.shield(process.ended)
        self._running.discard(process)
        return code

    async def _pause(self, number: int, code: int, seconds: float) -> None:
        log.error(
            "Worker process ended: restarting it", process=number, how=_ending(code), restart_in=seconds
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"killed by {signal.Signals(-code).name}"
    return f"killed by signal {-code}"
