"""The renewer's process, as the worker sees it: started, listened to, started again, ended."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

from corral.logs import get_logger
from corral.worker.lease.settings import QueueLease, ServerAddress

# Only the folder of the package is added, and at the end: nothing of it may hide a module of the standard
# library.
BOOTSTRAP = "import sys; sys.path.append(sys.argv[1]); from renewer.program import main; main()"
START_TIMEOUT = 10.0
STOP_TIMEOUT = 1.0
FIRST_RESTART_PAUSE = 0.1
LONGEST_RESTART_PAUSE = 5.0

log = get_logger("corral.worker.lease")


class RenewerProcess:
    """One child process at a time, and a task that starts another when it dies."""

    def __init__(
        self,
        server: ServerAddress,
        queues: Sequence[QueueLease],
        table_fd: int,
        on_event: Callable[[dict[str, Any]], None],
    ) -> None:
        self._server = server
        self._queues = queues
        self._table_fd = table_fd
        self._on_event = on_event
        self._child: subprocess.Popen[bytes] | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._died = asyncio.Event()
        self._received = b""
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        return self._child.pid if self._child else None

    async def start(self) -> None:
        """Start the child and wait until it is ready. ChildProcessError when it does not come up."""
        try:
            await self._spawn()
        except BaseException:
            await self._end()
            raise
        self._supervisor = asyncio.create_task(self._supervise(), name="corral-renewer")

    async def stop(self) -> None:
        """End the child."""
        if self._supervisor:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
            self._supervisor = None
        await self._end()

    async def _spawn(self) -> None:
        self._ready.clear()
        self._died.clear()
        self._received = b""
        child = self._child = subprocess.Popen(  # noqa: ASYNC220 (2 ms: it returns when the child has begun)
            # -I and -S: no environment, no site-packages, nothing of the current directory.
            [sys.executable, "-I", "-S", "-c", BOOTSTRAP, str(Path(__file__).parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[self._table_fd],
            bufsize=0,
            process_group=0,  # what a terminal or a shell sends to the worker's group is not for the child
        )
        # By pipe and not by argument: there may be a password in it.
        with contextlib.suppress(BrokenPipeError):
            _write_all(_fd(child.stdin), _settings(self._server, self._queues, self._table_fd))
        output = _fd(child.stdout)
        os.set_blocking(output, False)
        asyncio.get_running_loop().add_reader(output, self._on_output, output)
        try:
            async with asyncio.timeout(START_TIMEOUT):
                await self._ready.wait()
        except TimeoutError as error:
            raise ChildProcessError("the lock renewer did not start: no answer") from error
        if self._died.is_set():
            raise ChildProcessError("the lock renewer ended as it started; its message is on stderr")

    async def _supervise(self) -> None:
        pause = FIRST_RESTART_PAUSE
        while True:
            await self._died.wait()
            await self._end()
            self.restarts += 1
            log.warning("Lock renewer died and is started again", restarts=self.restarts)
            await asyncio.sleep(pause)
            try:
                await self._spawn()
                pause = FIRST_RESTART_PAUSE
            except OSError as error:  # ChildProcessError is one
                pause = min(pause * 2, LONGEST_RESTART_PAUSE)
                log.error("Lock renewer cannot be started", err=str(error))
                self._died.set()

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        loop = asyncio.get_running_loop()
        output = _fd(child.stdout)
        loop.remove_reader(output)
        _close(child.stdin)
        deadline = loop.time() + STOP_TIMEOUT
        while child.poll() is None:
            if loop.time() > deadline:
                child.kill()
            await asyncio.sleep(0.005)
        _close(child.stdout)

    def _on_output(self, fd: int) -> None:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return
        if not data:
            asyncio.get_running_loop().remove_reader(fd)
            self._died.set()
            self._ready.set()
            return
        *lines, self._received = (self._received + data).split(b"\n")
        for line in lines:
            event = json.loads(line)
            if event["event"] == "ready":
                self._ready.set()
            else:
                self._on_event(event)


def _settings(server: ServerAddress, queues: Sequence[QueueLease], table_fd: int) -> bytes:
    settings = {
        "parent": os.getpid(),
        "table_fd": table_fd,
        "server": dataclasses.asdict(server),
        "queues": [dataclasses.asdict(queue) | {"sha": _sha(queue.script)} for queue in queues],
    }
    return json.dumps(settings).encode() + b"\n"


def _sha(script: str) -> str:
    """The name under which the server caches a script."""
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


def _fd(pipe: IO[bytes] | None) -> int:
    if pipe is None:
        raise TypeError("not a pipe")
    return pipe.fileno()


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        with contextlib.suppress(BrokenPipeError):
            pipe.close()
