"""The queue between what is logged and where it goes."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import weakref
from collections.abc import Callable
from typing import IO, Any

LINGER = 0.02
"""Seconds that lines may wait, so that one write takes many of them."""
MAX_QUEUED = 8 * 1024 * 1024
"""Characters that wait at most; lines beyond are dropped and counted."""


class LineWriter:
    """Takes lines from any thread without ever blocking it, and writes them from a thread of its own.

    A pipe whose reader hangs blocks that thread alone. The queue is bounded: once it is full, newer lines
    are dropped and counted, and when lines flow again one of them says how many are missing. A closed pipe
    or a full disk costs the lines, and nothing else. Real files are written through their descriptor: a
    blocked write into a Python file object would hold its lock, and the interpreter could not exit.
    """

    def __init__(self, stream: IO[str], dropped_line: Callable[[int], str], linger: float = LINGER) -> None:
        self._linger = linger
        self._write = _descriptor_write(stream) or _stream_write(stream)
        self._dropped_line = dropped_line
        self._lines: list[str] = []
        self._size = 0
        self._dropped = 0
        self._idle = True
        self._writing = False
        self._wake = threading.Event()
        self._hurry = threading.Event()
        self._thread: threading.Thread | None = None
        self._start_lock = threading.Lock()
        os.register_at_fork(after_in_child=_weak(self, LineWriter._after_fork))

    def put(self, line: str) -> None:
        """Queue one line, which ends in a newline. Never blocks; drops the line when the queue is full."""
        if self._size > MAX_QUEUED:
            if self._lines:
                self._dropped += 1
                return
            self._size = 0
        # Not exact when threads meet here, but every batch and every empty queue sets it back to zero.
        self._size += len(line)
        self._lines.append(line)
        if self._idle:
            self._start()

    def flush(self, timeout: float = 1.0) -> bool:
        """Wait until all lines are written. False when that did not happen within `timeout` seconds."""
        deadline = time.monotonic() + timeout
        self._hurry.set()
        try:
            while self._lines or self._writing:
                if time.monotonic() > deadline:
                    return False
                self._start()
                time.sleep(0.001)
        finally:
            self._hurry.clear()
        return True

    def _start(self) -> None:
        self._idle = False
        if self._thread is None:
            with self._start_lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="corral-log-writer", daemon=True)
                    try:
                        self._thread.start()
                    except RuntimeError:  # no thread can be started (a limit, or the interpreter exits)
                        self._thread = None
                        self._idle = True
        self._wake.set()

    def _after_fork(self) -> None:
        # The thread is the parent's, and so are the lines that it has not written yet.
        self._lines = []
        self._size = self._dropped = 0
        self._idle, self._writing, self._thread = True, False, None
        self._start_lock = threading.Lock()
        self._wake = threading.Event()
        self._hurry = threading.Event()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while True:
                self._hurry.wait(self._linger)
                if not self._write_batch():
                    self._idle = True
                    if (
                        not self._lines
                    ):  # else: a line came before it could see that it has to wake this thread
                        break
                    self._idle = False

    def _write_batch(self) -> bool:
        count = len(self._lines)
        if not count:
            return False
        self._writing = True
        try:
            batch = self._lines[:count]
            del self._lines[:count]
            self._size = 0
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                batch.append(self._dropped_line(dropped))
            try:
                self._write("".join(batch))
            except (OSError, ValueError):  # closed pipe, full disk, closed file
                self._dropped += count
        finally:
            self._writing = False
        return True


def _descriptor_write(stream: IO[str]) -> Callable[[str], None] | None:
    try:
        fd = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None

    def write(text: str) -> None:
        data = memoryview(text.encode(errors="backslashreplace"))
        while data:
            try:
                data = data[os.write(fd, data) :]
            except BlockingIOError:  # a descriptor shared with a program that made it non-blocking
                select.select([], [fd], [])

    return write


def _stream_write(stream: IO[str]) -> Callable[[str], None]:
    def write(text: str) -> None:
        stream.write(text)
        with contextlib.suppress(AttributeError):
            stream.flush()

    return write


def _weak(owner: LineWriter, method: Callable[[LineWriter], Any]) -> Callable[[], None]:
    """A hook that does not keep its owner alive: hooks of `os.register_at_fork` are never removed."""
    reference = weakref.ref(owner)

    def call() -> None:
        alive = reference()
        if alive is not None:
            method(alive)

    return call
