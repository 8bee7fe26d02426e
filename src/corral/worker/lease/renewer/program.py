"""The renewer's main loop, and how it watches the worker that started it."""

from __future__ import annotations

import _thread
import json
import mmap
import os
import signal
import sys
import time

# Relative, because the package has another name when it runs: see its docstring.
from .connection import ErrorReply
from .layout import Held, read_held, used_size
from .nodes import Nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CHUNK = 500
RENEWALS_PER_LOCK = 4
LONGEST_CALL = 5.0


class Queue:
    """What is renewed of one queue, and when it is next due."""

    def __init__(self, index: int, settings: dict[str, Any]) -> None:
        self.index = index
        self.sha: bytes = settings["sha"].encode()
        self.script: bytes = settings["script"].encode()
        keys = [key.encode() for key in settings["keys"]]
        self.arguments = [b"%d" % len(keys), *keys, b"%d" % settings["lock_ms"], settings["prefix"].encode()]
        self.period: float = settings["lock_ms"] / 1000 / RENEWALS_PER_LOCK
        self.due = 0.0
        self.failing = False


class Renewer:
    """Reads the table and renews what it holds, queue by queue, when due."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._fd: int = settings["table_fd"]
        self._table = mmap.mmap(self._fd, 0)
        self._queues = [Queue(index, each) for index, each in enumerate(settings["queues"])]
        self._shortest = min(queue.period for queue in self._queues)
        self._nodes = Nodes(settings["server"], min(self._shortest * 0.8, LONGEST_CALL))
        self._parent: int = settings["parent"]
        self._lost: set[tuple[int, bytes, bytes, bytes]] = set()

    def run(self) -> None:
        """Renew until the parent is gone."""
        while os.getppid() == self._parent:
            if stopped(self._parent):
                time.sleep(self._shortest / 4)
                continue
            self._renew_due(time.monotonic())
            next_due = min(queue.due for queue in self._queues)
            time.sleep(max(next_due - time.monotonic(), 0.005))

    def _renew_due(self, now: float) -> None:
        due = [queue for queue in self._queues if queue.due <= now]
        held = self._held_by_queue() if due else {}
        for queue in due:
            try:
                self._renew(queue, held.get(queue.index, []))
            except (OSError, ValueError, ErrorReply) as error:
                # Soon again, not a quarter later: so a lock has more chances than four.
                queue.due = time.monotonic() + min(queue.period / 4, 1.0)
                self._nodes.forget(queue.index)
                if not queue.failing:
                    queue.failing = tell(
                        "failing", queue=queue.index, error=f"{type(error).__name__}: {error}"[:500]
                    )
            else:
                queue.due = now + queue.period
                if queue.failing:
                    queue.failing = not tell("recovered", queue=queue.index)

    def _held_by_queue(self) -> dict[int, list[Held]]:
        """Everything held, but for what was reported as lost already."""
        if used_size(self._table) > len(self._table):  # the worker has made it larger
            self._table = mmap.mmap(self._fd, 0)
        by_queue: dict[int, list[Held]] = {}
        still_lost = set()
        for index, held in read_held(self._table):
            if held.key() in self._lost:
                still_lost.add(held.key())
            else:
                by_queue.setdefault(index, []).append(held)
        self._lost = still_lost
        return by_queue

    def _renew(self, queue: Queue, held: list[Held]) -> None:
        for start in range(0, len(held), CHUNK):
            chunk = held[start : start + CHUNK]
            if os.getppid() != self._parent or stopped(self._parent):
                return
            outcomes = self._call_script(queue, chunk)
            for job, outcome in zip(chunk, outcomes, strict=True):
                if outcome == 0 and report_lost(job):
                    self._lost.add(job.key())

    def _call_script(self, queue: Queue, chunk: list[Held]) -> list[Any]:
        arguments = list(queue.arguments)
        for job in chunk:
            arguments += (job.wire_id, job.token, job.fence)
        try:
            reply = self._nodes.call(queue.index, b"EVALSHA", queue.sha, *arguments)
        except ErrorReply as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
            reply = self._nodes.call(queue.index, b"EVAL", queue.script, *arguments)
        if not isinstance(reply, list) or len(reply) != len(chunk):
            raise ValueError("the renew script did not reply with one number per job")
        return reply


def report_lost(job: Held) -> bool:
    """Tell the parent that this job's lock is lost. False when it could not be told now."""
    return tell("lost", slot=job.slot, fence=job.fence.hex(), token=job.token.hex(), id=job.wire_id.hex())


def tell(event: str, **fields: object) -> bool:
    """Write one event for the parent. False when its pipe is full: it is blocked, and is told later."""
    try:
        os.write(1, json.dumps({"event": event, **fields}).encode() + b"\n")
    except BlockingIOError:
        return False
    except OSError:  # nobody reads any more: the end of standard input follows
        return True
    return True


def stopped(process: int) -> bool:
    """Whether the process is stopped by SIGSTOP or SIGTSTP (known on Linux only)."""
    try:
        fd = os.open(f"/proc/{process}/stat", os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.read(fd, 4096).rpartition(b") ")[2][:1] == b"T"
    finally:
        os.close(fd)


def leave_with_parent() -> None:
    """Wait for the end of standard input, then leave at once, whatever the main thread does."""
    try:
        while os.read(0, 4096):
            pass
    finally:
        os._exit(0)


def main() -> None:
    """Read the settings, then renew until the parent closes the pipe or dies."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(signum, signal.SIG_IGN)
    line = sys.stdin.buffer.readline()
    if not line:
        return
    _thread.start_new_thread(leave_with_parent, ())
    os.set_blocking(1, False)
    renewer = Renewer(json.loads(line))
    tell("ready")
    renewer.run()
