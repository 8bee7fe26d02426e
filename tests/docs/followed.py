"""Somebody who does what a page says, word by word: writes its files, runs its commands, compares what they print."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.docs.documents import Block
from tests.servers import free_port

__all__ = ["Reader"]

STAYS = ("corral worker", "corral serve")
"""Commands that go on until they are told to end: by the next one of their kind."""
READY = re.compile(r"Worker started|dashboard http")
DONE = ("pip install",)
"""Commands whose work is done where tests run."""
PATIENCE = 90.0


class Reader:
    """Follows a page in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        # Wide, so that no table breaks its lines.
        self._environment = {
            **os.environ,
            "PATH": programs,
            "COLUMNS": "300",
            "XDG_DATA_HOME": str(folder / "data"),
        }
        self._ports = {"8000": str(free_port()), "8080": str(free_port())}
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._printed = ""

    def follow(self, block: Block) -> None:
        """Do what a block says."""
        if block.language == "python":
            self._write(block)
        elif block.language == "text":
            self._compare(block)
        else:
            self._printed = "".join(self._run(line) for line in block.text.splitlines())

    def _write(self, block: Block) -> None:
        path = self._folder / block.text.partition("\n")[0].removeprefix("# ")
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def _compare(self, block: Block) -> None:
        """Find each line of the block in what was printed, in this order; `…` stands for anything in between."""
        left = self._printed
        for line in block.text.splitlines():
            parts = [re.escape(part.strip()) for part in line.split("…")]
            found = re.search(r"[^\n]*?".join(parts), left)
            assert found, f"{block}: {line!r} is not printed:\n{self._printed}"
            left = left[found.end() :]

    def _run(self, line: str) -> str:
        for port, free in self._ports.items():
            line = re.sub(rf"\b{port}\b", free, line)
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").partition("=")
            self._environment[name] = value
            return ""
        if line.startswith(DONE):
            return ""
        if line.startswith(STAYS):
            return self._start(line)
        done = subprocess.run(
            ["bash", "-c", line], cwd=self._folder, env=self._environment, timeout=PATIENCE, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        assert (done.returncode == 0) is not line.startswith("mypy"), f"{line}\n{done.stdout}"
        return done.stdout

    def _start(self, line: str) -> str:
        """Start a command, and return what it prints until it says that it works."""
        kind = " ".join(shlex.split(line)[:2])
        self._end(kind)
        self._running[kind] = process = subprocess.Popen(
            shlex.split(line),
            cwd=self._folder,
            env=self._environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout
        printed = ""
        while not re.search(READY, printed):
            said = process.stdout.readline()
            assert said, f"{line}\n{printed}"
            printed += said
        return printed

    def _end(self, kind: str) -> None:
        if (process := self._running.pop(kind, None)) is not None:
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0, printed

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for running in list(self._running):
            self._end(running)
