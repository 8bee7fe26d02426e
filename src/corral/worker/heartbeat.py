"""The heartbeat: writes down every few seconds what this worker is, does, and suffers from."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import os
import platform
import socket
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from operator import attrgetter
from typing import Final

from corral.contracts.worker_record import LONGEST_ID, LONGEST_NAME, MOST_JOBS, Beat
from corral.engine.faults import ResponseError, Unanswered
from corral.engine.report_worker import drop_record, write_beat
from corral.engine.server import Server
from corral.errors import ServerRefused
from corral.worker.memory import memory_in_use
from corral.worker.queue_service import QueueService
from corral.worker.trouble import log_damage
from corral.worker.vitals import Vitals

__all__ = ["Heartbeat"]

INTERVAL: Final = 5.0
"""Seconds between beats."""

FAREWELL_SECONDS: Final = 1.0
"""How long taking the record away may hold up the worker's end."""


class Heartbeat:
    """One record for each queue of a worker process, kept by its instance: two workers of one name have two.

    A beat is one write a queue; nothing of it lies on a job's way. Whoever changes what a record shows says so
    (`urge`), and the next beat comes at once. A worker that leaves takes its records with it; those of one that died
    are forgotten by the beats of others, or expire.
    """

    def __init__(
        self,
        server: Server,
        services: Sequence[QueueService],
        vitals: Vitals,
        *,
        name: str,
        instance: str,
        on_trouble: Callable[[Unanswered, float], None],
    ) -> None:
        self._server = server
        self._services = services
        self._vitals = vitals
        self._name = name
        self._instance = instance
        self._on_trouble = on_trouble
        self._due = asyncio.Event()
        self._queues = tuple(service.keys.queue for service in services)
        self._version = version("corral")

    def urge(self) -> None:
        """Something has changed that others should see: beat now."""
        self._due.set()

    async def serve(self) -> None:
        """Beat until cancelled, and take the records away."""
        try:
            while True:
                self._due.clear()
                await self._beat()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(INTERVAL):
                        await self._due.wait()
        finally:
            await self._leave()

    async def _beat(self) -> None:
        lag, memory, health = self._vitals.pulse.turn(), memory_in_use(), self._vitals.health()
        for service in self._services:
            beat = self._describe(service, lag, memory, health.troubles)
            try:
                await write_beat(self._server, service.keys, self._instance, beat.text())
            except Unanswered as error:
                self._on_trouble(error, INTERVAL)
            except ResponseError as error:
                log_damage(service.keys.queue, error)

    def _describe(self, service: QueueService, lag: float, memory: int, troubles: tuple[str, ...]) -> Beat:
        now, runner = time.monotonic(), service.runner
        oldest = heapq.nsmallest(MOST_JOBS, runner.runs, key=attrgetter("since"))
        return Beat(
            name=self._name,
            state=self._vitals.state,
            queues=self._queues,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=self._version,
            python=platform.python_version(),
            up=_rounded(now - self._vitals.began),
            concurrency=runner.slots,
            running=len(runner.runs),
            jobs=tuple(
                (_plain(run.job_id), _plain(run.name)[:LONGEST_NAME], _rounded(now - run.since))
                for run in oldest
                if len(run.job_id) <= LONGEST_ID
            ),
            fetched=_rounded(now - runner.last_answer) if runner.last_answer else None,
            starved=_rounded(self._vitals.starved(service)),
            lag_ms=_rounded(lag * 1000),
            memory=memory,
            troubles=troubles,
        )

    async def _leave(self) -> None:
        """Where the server does not answer, the record stays, and is found to be silent."""
        with contextlib.suppress(TimeoutError, Unanswered, ServerRefused, ResponseError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                for service in self._services:
                    await drop_record(self._server, service.keys, self._instance)


def _rounded(number: float) -> float:
    return round(max(0.0, number), 3)


def _plain(text: str) -> str:
    """Without what is no Unicode, which JSON cannot hold; it is there to be shown."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
