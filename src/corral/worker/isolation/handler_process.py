"""One child process that runs `InProcess` handlers, as the worker sees it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from multiprocessing import spawn
from pathlib import Path
from typing import Any

from corral.contracts.context import Context
from corral.contracts.outcome import HandlerSignal
from corral.errors import HandlerRaised, ProcessDied
from corral.logs.scope import Scope
from corral.logs.setup import child_settings
from corral.worker.isolation.frames import FrameSocket
from corral.worker.isolation.process_exit import wait_exit

PROGRAM = Path(__file__).with_name("handler_program.py")
LOAD_TIMEOUT = 60.0
"""Seconds that a child has to import what the handler needs. A handler's own timeout begins after that: otherwise a
timeout shorter than the imports could never be met."""
CANCEL_GRACE = 0.25
"""Seconds between telling a handler to stop and killing it."""


class HandlerProcess:
    """One child: started fresh (never forked: a fork would copy a running loop, its sockets and its locks), used for
    one job at a time and for many jobs one after the other, killed when a job has to end.

    It has a process group of its own, so that a kill takes along what the handler started, and the
    terminal's Ctrl-C does not reach it. Of the worker's descriptors it has one, its end of a socket pair.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._socket = FrameSocket(ours)
        with theirs:
            self._process = subprocess.Popen(
                # -P: the folder of the program is not a place to import from
                [sys.executable, "-P", str(PROGRAM), str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,
            )
        self._exit = asyncio.create_task(self._watch_exit(), name="corral-handler-process")
        self.jobs = 0
        """How many jobs it has run."""
        self.started = False
        """Whether the handler of the current job was called."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can take a job."""
        return not self._exit.done()

    async def prepare(self) -> None:
        """Let it import what this program has imported as its main module. Once, before the first job."""
        preparation = spawn.get_preparation_data("corral-handler")
        del preparation["authkey"]  # of use to `multiprocessing` only
        await self._exchange(("prepare", preparation, child_settings()), None, until="ready")

    async def run(
        self, call: bytes, context: Context | None, timeout: float | None, scope: Scope | None
    ) -> Any:
        """Run one job. Raises TimeoutError, ProcessDied, HandlerRaised, or the HandlerSignal that the handler raised.

        After any error but the last two the child has to be killed: it may still be at work.
        """
        self.started = False
        fields = None if context is None else _context_fields(context)
        first = await self._exchange(("job", call, fields, scope), context, until="started")
        if first[0] == "started":
            self.started = True
            try:
                async with asyncio.timeout(timeout):
                    first = await self._receive_until(context, "returned", "raised")
            except TimeoutError:
                raise TimeoutError(f"the handler did not return within {timeout:g} s") from None
        self.jobs += 1
        return _outcome(first)

    async def kill(self, grace: float = CANCEL_GRACE) -> None:
        """Tell it to stop, kill it after the grace, and return when it is dead."""
        if grace and self.alive and self.started:
            with contextlib.suppress(OSError, TimeoutError, ProcessDied):
                async with asyncio.timeout(grace):
                    await self._socket.send(("cancel",))
                    await self._receive_until(None, "returned", "raised")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        await self._exit
        self._socket.close()

    async def _exchange(self, message: Any, context: Context | None, until: str) -> tuple[Any, ...]:
        try:
            async with asyncio.timeout(LOAD_TIMEOUT):
                with contextlib.suppress(OSError):  # gone: reading says how
                    await self._socket.send(message)
                return await self._receive_until(context, until, "raised")
        except TimeoutError:
            raise TimeoutError(f"the handler's process did not load within {LOAD_TIMEOUT:g} s") from None

    async def _receive_until(self, context: Context | None, *kinds: str) -> tuple[Any, ...]:
        while True:
            try:
                message: tuple[Any, ...] = await self._socket.receive()
            except (EOFError, ConnectionError):
                raise ProcessDied(await asyncio.shield(self._exit)) from None
            if message[0] in kinds:
                return message
            if context is not None and message[0] == "progress":
                await context.progress(message[1])
            elif context is not None and message[0] == "log":
                await context.log(message[1])

    async def _watch_exit(self) -> int:
        code = await wait_exit(self._process)
        self._socket.end_reading()
        return code


def _context_fields(context: Context) -> dict[str, Any]:
    names = ("job_id", "queue", "name", "attempt", "attempts", "kind", "timestamp")
    return {name: getattr(context, name) for name in names}


def _outcome(message: tuple[Any, ...]) -> Any:
    if message[0] == "returned":
        return pickle.loads(message[1])  # noqa: S301 (from our own child)
    _, kind, text, trace, pickled = message
    signal_raised = None
    with contextlib.suppress(Exception):  # a subclass of the user's that pickles, but does not come back
        signal_raised = pickle.loads(pickled) if pickled else None  # noqa: S301
    raise signal_raised if isinstance(signal_raised, HandlerSignal) else HandlerRaised(kind, text, trace)
