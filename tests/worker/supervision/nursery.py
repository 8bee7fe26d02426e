"""Where the children of supervisors report, so that tests wait for what they do and not for time to pass."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

CHILD = Path(__file__).with_name("supervised_child.py")
PATIENCE = 15.0


class Child:
    """One child that has reported: its process id, and the line to it, which breaks when it dies."""

    def __init__(self, pid: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.pid = pid
        self._reader = reader
        self._writer = writer

    def tell(self, command: str) -> None:
        """`exit 3`, or `stubborn`: take note of SIGTERM and do nothing about it."""
        self._writer.write(f"{command}\n".encode())

    async def says(self) -> str:
        """The next thing it reports: `signal 1`, `stubborn`, or nothing when it is gone."""
        async with asyncio.timeout(PATIENCE):
            return (await self._reader.readline()).decode().strip()

    async def gone(self) -> None:
        """Return when it is dead."""
        async with asyncio.timeout(PATIENCE):
            while await self._reader.readline():
                pass


class Nursery:
    """Listens on a unix socket for children."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="corral-nursery-")
        self.address = str(Path(self._folder.name) / "s")
        self._born: asyncio.Queue[Child] = asyncio.Queue()
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def command(self) -> list[str]:
        """The command line of a child."""
        return [sys.executable, str(CHILD), self.address]

    async def child(self) -> Child:
        """The next child that reports."""
        async with asyncio.timeout(PATIENCE):
            return await self._born.get()

    async def children(self, count: int) -> list[Child]:
        """The next few."""
        return [await self.child() for _ in range(count)]

    @property
    def nobody_waits(self) -> bool:
        """Whether no further child has reported."""
        return self._born.empty()

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self._born.put_nowait(Child(int(await reader.readline()), reader, writer))

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._welcome, self.address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up, which ends the children that are left."""
        self._server.close()
        for writer in self._writers:
            writer.close()
        self._folder.cleanup()


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
