"""Runs `InProcess` handlers: each job in a child process that can really be killed."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from typing import Any, TypeVar, cast

from corral.contracts.context import Context
from corral.contracts.outcome import HandlerSignal
from corral.errors import HandlerRaised, ProcessDied
from corral.logs.scope import running_job
from corral.worker.isolation.handler_process import HandlerProcess

Result = TypeVar("Result")


class ProcessRunner:
    """A pool of child processes, started when they are first needed and kept for the next job.

    A job that times out or is cancelled loses its process: it is told to stop, killed a quarter of a second
    later, and dead before `run` returns, so that a retry never meets the old run. Each child runs one job
    at a time; a crash costs that job alone.
    """

    def __init__(self, max_workers: int | None = None) -> None:
        self._slots = asyncio.Semaphore(max_workers) if max_workers else None
        self._idle: list[HandlerProcess] = []
        self._busy: set[HandlerProcess] = set()
        self._closed = False

    async def run(
        self,
        function: Callable[..., Result],
        payload: object,
        *,
        context: Context | None = None,
        timeout: float | None = None,
    ) -> Result:
        """Call the function with the payload (and a context, when there is one to offer) in a child process.

        `timeout`, in seconds, counts from the call of the function; imports come before. Raises
        TimeoutError; ProcessDied when the child ended instead of returning; the HandlerSignal that the
        function raised; HandlerRaised for any other exception of its; what pickling a payload raises.
        """
        call = pickle.dumps((function, payload), pickle.HIGHEST_PROTOCOL)
        if self._slots is None:
            return cast("Result", await self._run(call, context, timeout))
        async with self._slots:
            return cast("Result", await self._run(call, context, timeout))

    async def close(self) -> None:
        """Kill all children, at work or not."""
        self._closed = True
        children = [*self._idle, *self._busy]
        self._idle.clear()
        await asyncio.gather(*(child.kill(grace=0) for child in children))

    async def _run(self, call: bytes, context: Context | None, timeout: float | None) -> Any:
        while True:
            child = await self._take()
            used_before = child.jobs > 0
            try:
                return await self._run_in(child, call, context, timeout)
            except ProcessDied:
                # It died between two jobs (out of memory, an operator): this one has not begun.
                if child.started or not used_before:
                    raise

    async def _run_in(
        self, child: HandlerProcess, call: bytes, context: Context | None, timeout: float | None
    ) -> Any:
        try:
            result = await child.run(call, context, timeout, running_job())
        except (HandlerRaised, HandlerSignal):
            self._keep(child)
            raise
        except BaseException:
            await self._discard(child)
            raise
        self._keep(child)
        return result

    async def _take(self) -> HandlerProcess:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                self._busy.add(child)
                return child
            await child.kill(grace=0)
        child = HandlerProcess()
        self._busy.add(child)
        try:
            await child.prepare()
        except BaseException:
            await self._discard(child)
            raise
        return child

    def _keep(self, child: HandlerProcess) -> None:
        if not self._closed:  # else `close` is killing it
            self._busy.discard(child)
            self._idle.append(child)

    async def _discard(self, child: HandlerProcess) -> None:
        """Kill a child; it is dead when this returns, though the caller be cancelled once more meanwhile."""
        killing = asyncio.create_task(child.kill())
        cancelled: asyncio.CancelledError | None = None
        while not killing.done():
            try:
                await asyncio.shield(killing)
            except asyncio.CancelledError as error:
                cancelled = error
        self._busy.discard(child)
        if cancelled:
            raise cancelled
