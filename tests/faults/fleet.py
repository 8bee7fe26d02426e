"""Real worker processes: started, killed, frozen."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

from tests.faults.witness import Witness

PROGRAM = "tests.faults.worker_program"
ROOT = Path(__file__).parents[2]


class WorkerProcess:
    """One worker. Its output goes to a file, shown when a test fails."""

    def __init__(self, settings: dict[str, Any], witness: Witness, log: Path) -> None:
        self.witness = witness
        self.log = log
        self.killed_at: float | None = None
        self.unread: int | None = None
        program = settings.get("program", PROGRAM)
        told = {name: value for name, value in settings.items() if name != "program"}
        with log.open("wb") as output, contextlib.ExitStack() as stack:
            out: int | IO[bytes] = output
            if settings.get("stuck_log"):
                # A pipe that is never read: what is in its buffer is all that it takes.
                self.unread, out = os.pipe()
                stack.callback(os.close, out)
            self.process = subprocess.Popen(
                [sys.executable, "-m", program, json.dumps(told | {"witness": str(witness.path)})],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=output,
                cwd=ROOT,
                env={**os.environ, "CORRAL_LOG_LEVEL": "info"},
                process_group=0,
            )
        self.pid = self.process.pid

    def wait_up(self, within: float = 30.0) -> WorkerProcess:
        """Wait until it is about to claim."""
        from tests.faults.witness import until

        def came_up() -> bool:
            assert self.process.poll() is None, f"the worker ended as it started:\n{self.log.read_text()}"
            return any(each.pid == self.pid for each in self.witness.read("up"))

        until(came_up, within, "the worker is up")
        return self

    def kill9(self) -> None:
        """Kill it as the out-of-memory killer does: without a word, and itself alone."""
        self.process.kill()
        self.killed_at = time.monotonic()
        self.process.wait(10)

    def freeze(self) -> None:
        """Stop it; it knows nothing of it."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def wait(self, within: float = 30.0) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(within)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None


class Fleet:
    """The workers of one test."""

    def __init__(self, witness: Witness, folder: Path, **settings: Any) -> None:
        self.witness = witness
        self.workers: list[WorkerProcess] = []
        self._folder = folder
        self._settings = settings

    def start(self, **settings: Any) -> WorkerProcess:
        """Start one more worker, with settings over those of the fleet."""
        log = self._folder / f"worker-{len(self.workers)}.log"
        worker = WorkerProcess({**self._settings, **settings}, self.witness, log)
        self.workers.append(worker)
        return worker

    @property
    def running(self) -> list[WorkerProcess]:
        """Those that have not ended."""
        return [worker for worker in self.workers if worker.running]

    @property
    def up(self) -> list[WorkerProcess]:
        """Those of them that claim."""
        up = {each.pid for each in self.witness.read("up")}
        return [worker for worker in self.running if worker.pid in up]

    def close(self) -> None:
        """Kill those that are left, and print what all of them said (pytest shows it when a test fails)."""
        for worker in self.running:
            worker.thaw()
            worker.kill9()
        for worker in self.workers:
            if worker.unread is not None:
                os.close(worker.unread)
            print(f"--- worker {worker.pid}, exit code {worker.process.returncode}")
            print("".join(worker.log.read_text(errors="replace").splitlines(keepends=True)[-40:]))
