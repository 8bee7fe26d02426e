"""The program `corral` in a terminal of its own: a pty, whose screen is what has been written last."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from typing import Any

PATIENCE = 90.0
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r")


class Terminal:
    """One run of `corral …`."""

    def __init__(
        self, *arguments: str, environ: Mapping[str, str], columns: int = 160, lines: int = 40
    ) -> None:
        self.raw = ""
        self._seen = 0
        self._ours, theirs = pty.openpty()
        self._theirs = theirs
        self.resize(columns, lines)
        self.before = termios.tcgetattr(theirs)
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "corral.cli", *arguments],
            env={**kept, "TERM": "xterm-256color", **environ},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def shows(self, text: str) -> str:
        """Wait until it writes a text, behind those waited for before."""
        until = time.monotonic() + PATIENCE
        while (at := self.text.find(text, self._seen)) < 0:
            assert time.monotonic() < until, f"it does not show {text!r}:\n{self.text[self._seen :]}"
            self._read(0.2)
        self._seen = at + len(text)
        return self.text[at:]

    @property
    def text(self) -> str:
        """All that it has written, without controls; each picture begins a line."""
        return _CONTROLS.sub("", self.raw.replace("\x1b[H", "\n"))

    def press(self, keys: str) -> None:
        """Type."""
        self._seen = len(self.text)
        os.write(self._ours, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Change the size of the window."""
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        process: Any = getattr(self, "process", None)
        if process is not None:
            self._seen = len(self.text)
            process.send_signal(signal.SIGWINCH)

    def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        until = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < until, "it does not end"
            self._read(0.1)
        self._read(0.1)
        return self.process.returncode

    @property
    def is_as_before(self) -> bool:
        """Whether the terminal is set as it was found."""
        return bool(termios.tcgetattr(self._theirs) == self.before)

    def close(self) -> None:
        """Kill it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)
        os.close(self._ours)
        os.close(self._theirs)

    def _read(self, seconds: float) -> None:
        while select.select([self._ours], [], [], seconds)[0]:
            self.raw += os.read(self._ours, 65536).decode(errors="replace")
            seconds = 0
