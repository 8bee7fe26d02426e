"""A worker that starts again when the code changes: `corral worker … --reload`, `corral dev`."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from corral.errors import InvalidOption
from corral.logs import get_logger
from corral.worker.shutdown import stop_signals
from corral.worker.supervised_process import SupervisedProcess

__all__ = ["Reloader"]

log = get_logger("reload")

DEBOUNCE_MS: Final = 300
"""Changes within this time are one: an editor writes several files, a checkout hundreds."""

PATIENCE: Final = 5.0
"""Seconds that jobs in flight may take to finish before a reload hands them back."""

SHOWN: Final = 3


class Reloader:
    """Runs one worker process, and starts it again when Python files in the folder change.

    The old process stops gently first, so no job is lost or fails. A process that ends by itself, as one with a syntax
    error does, is started again after the next change.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, *, environ: Mapping[str, str] | None = None
    ) -> None:
        if importlib.util.find_spec("watchfiles") is None:
            raise InvalidOption("reload", True, "needs watchfiles: pip install 'corral[reload]'")
        self._command = list(command)
        self._folder = folder
        self._environ = environ
        self._changed: set[str] = set()
        self._change = asyncio.Event()
        self._stopping = asyncio.Event()
        self._process: SupervisedProcess | None = None
        self._urged = 0

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT. Returns the exit code: that of the last process."""
        with stop_signals(self._stop, self._urge):
            watcher = asyncio.create_task(self._watch())
            try:
                return await self._serve()
            finally:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
                if self._process is not None:
                    self._process.kill()

    async def _serve(self) -> int:
        while True:
            self._process = process = SupervisedProcess(self._command, self._environ)
            await self._until(process.ended)
            if process.ended.done() and not self._stopping.is_set():
                log.warning("Worker has ended: waiting for a change", exit=process.ended.result())
                await self._until()
            if self._stopping.is_set():
                return await asyncio.shield(process.ended)
            log.info("Reloading", changed=self._take_changes())
            await process.end(PATIENCE)
            if self._stopping.is_set():
                return 0

    async def _until(self, *others: asyncio.Future[Any]) -> None:
        """Wait for a change, for being stopped, or for one of the others."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._change, self._stopping)]
        await asyncio.wait({*waits, *others}, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def _take_changes(self) -> str:
        names = sorted(self._changed)
        self._changed.clear()
        self._change.clear()
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return ", ".join(names[:SHOWN]) + more

    async def _watch(self) -> None:
        from watchfiles import PythonFilter, awatch

        logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it counts changes; we name them
        async for changes in awatch(self._folder, watch_filter=PythonFilter(), debounce=DEBOUNCE_MS, step=50):
            self._changed.update(str(Path(path).relative_to(self._folder)) for _, path in changes)
            self._change.set()

    def _stop(self) -> None:
        self._stopping.set()
        if self._process is not None:
            self._process.stop()

    def _urge(self) -> None:
        self._urged += 1
        if self._process is not None:
            if self._urged == 1:
                self._process.stop()
            else:
                self._process.kill()
