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
from corral.worker.supervision.supervised_process import SupervisedProcess, stopped_code

__all__ = ["Reloader"]

log = get_logger("reload")

DEBOUNCE_MS: Final = 300
"""Changes within this time are one: an editor writes several files, a checkout hundreds."""

STEP_MS: Final = 50
LOOK_MS: Final = 500

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
        self.watching = asyncio.Event()
        """Set once changes are seen."""

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT. Returns the exit code: that of the last process."""
        with stop_signals(self._stop, self._urge, announce=False):
            watcher = asyncio.create_task(self._watch())
            try:
                return await self._serve(watcher)
            finally:
                watcher.cancel()
                await asyncio.gather(watcher, return_exceptions=True)
                if self._process is not None:
                    self._process.kill()
                    await self._process.ended

    async def _serve(self, watcher: asyncio.Task[None]) -> int:
        while True:
            self._process = process = SupervisedProcess(self._command, self._environ)
            await self._until(watcher, process.ended)
            if process.ended.done() and not self._stopping.is_set():
                log.warning("Worker has ended: waiting for a change", exit=process.ended.result())
                await self._until(watcher)
            if self._stopping.is_set():
                return stopped_code(await asyncio.shield(process.ended))
            log.info("Reloading", changed=self._take_changes())
            await process.end(PATIENCE)
            if self._stopping.is_set():
                return 0

    async def _until(self, watcher: asyncio.Task[None], *others: asyncio.Future[Any]) -> None:
        """Wait for a change, for being stopped, or for one of the others."""
        waits = [asyncio.ensure_future(event.wait()) for event in (self._change, self._stopping)]
        await asyncio.wait({*waits, watcher, *others}, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        if watcher.done():
            watcher.result()  # it never ends but by an error: a folder that is gone, too few inotify watches

    def _take_changes(self) -> str:
        names = sorted(self._changed)
        self._changed.clear()
        self._change.clear()
        more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
        return ", ".join(names[:SHOWN]) + more

    async def _watch(self) -> None:
        from watchfiles import PythonFilter, awatch

        logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it counts changes; we name them
        async for changes in awatch(
            self._folder,
            watch_filter=PythonFilter(),
            debounce=DEBOUNCE_MS,
            step=STEP_MS,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
        ):
            self.watching.set()
            if changes:
                self._changed.update(self._shown(path) for _, path in changes)
                self._change.set()

    def _shown(self, path: str) -> str:
        folder = self._folder.resolve()
        return str(Path(path).relative_to(folder)) if Path(path).is_relative_to(folder) else path

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
