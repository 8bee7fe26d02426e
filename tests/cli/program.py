"""The program `corral` in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

PATIENCE = 30.0


class Program:
    """One run of `corral …`. What it prints is read line by line, so that tests wait for what it says."""

    def __init__(self, *arguments: str, folder: Path, environ: Mapping[str, str]) -> None:
        self.lines: list[str] = []
        self._read = 0
        self._news = threading.Condition()
        self._over = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "corral.cli", *arguments],
            cwd=folder,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    @property
    def output(self) -> str:
        """All that it has said."""
        return "\n".join(self.lines)

    def says(self, text: str) -> str:
        """Wait for a line with this text, behind those waited for before, and return it."""
        with self._news:
            while True:
                while self._read < len(self.lines):
                    self._read += 1
                    if text in self.lines[self._read - 1]:
                        return self.lines[self._read - 1]
                assert not self._over, f"it ended without saying {text!r}:\n{self.output}"
                assert self._news.wait(PATIENCE), f"it does not say {text!r}:\n{self.output}"

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal it, and return its exit code."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def close(self) -> None:
        """Kill it if it still runs; its own processes die with it."""
        if self.process.poll() is None:
            self.process.kill()
        self.ended()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()
        with self._news:
            self._over = True
            self._news.notify_all()
