"""A shift: everything that exists while a worker runs, from the first claim to the last settlement."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from corral.admin.sampler import Sampler
from corral.contracts.worker_record import WorkerState
from corral.logs import get_logger
from corral.worker.equipment import Equipment
from corral.worker.health import STARTING, Health
from corral.worker.heartbeat import Heartbeat
from corral.worker.lease.address import renewer_address
from corral.worker.lease.lease import Lease
from corral.worker.order_reader import Taker
from corral.worker.queue_service import QueueService
from corral.worker.registry import QueueHandlers
from corral.worker.run import Cause, Run
from corral.worker.shutdown import (
    SETTLE_SECONDS,
    cancel_leftovers,
    drain,
    first_error,
    forget_deaf,
    settle_rest,
)
from corral.worker.told import takers_for
from corral.worker.vitals import Vitals
from corral.worker.watchdog import Watchdog

__all__ = ["Shift", "StopSigns"]

log = get_logger("worker")

Loop = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class StopSigns:
    """How a worker is asked to stop, gently or now, and how it says that jobs can be claimed."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    now: asyncio.Event = field(default_factory=asyncio.Event)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def clear(self) -> None:
        """Be as new."""
        for event in (self.stop, self.now, self.ready):
            event.clear()


class Shift:
    """The running parts of a worker, in one task group.

    For each queue a `QueueService` with its lanes, its sleeper and its recoverer; the `Equipment` that they share; the
    lease, the watchdog and the heartbeat. What ends one loop unexpectedly ends all of them, visibly: handlers that
    run then are cancelled, and their jobs recovered elsewhere.
    """

    def __init__(
        self, equipment: Equipment, queues: Sequence[QueueHandlers], grace: float, signs: StopSigns
    ) -> None:
        self._equipment = equipment
        self._grace = grace
        self._signs = signs
        equipment.deadlines.on_due = self._timed_out
        equipment.deadlines.runs = self._runs
        self.services = [equipment.service(index, handlers) for index, handlers in enumerate(queues)]
        self._vitals: Vitals | None = None
        self._heartbeat: Heartbeat | None = None
        self._draining = False

    @property
    def state(self) -> WorkerState:
        """What the worker is up to."""
        if self._signs.stop.is_set():
            return WorkerState.STOPPING
        return WorkerState.DRAINING if self._draining else WorkerState.RUNNING

    def health(self) -> Health:
        """Whether it does its work. Any thread may ask."""
        return STARTING if self._vitals is None else self._vitals.health()

    def drain(self) -> None:
        """Claim nothing more until told to resume; what runs goes on."""
        self._draining = True
        for service in self.services:
            service.runner.stop_claiming()
        self.tell()

    def resume(self) -> None:
        """Claim again, unless the worker is about to stop."""
        if self.state is WorkerState.DRAINING:
            self._draining = False
            for service in self.services:
                service.runner.claim_again()
        self.tell()

    def tell(self) -> None:
        """Something has changed that operators should see."""
        if self._heartbeat is not None:
            self._heartbeat.urge()

    async def work(self) -> None:
        """Work until a stop sign."""
        server = self._equipment.client.server
        async with AsyncExitStack() as stack:
            address = renewer_address(await server.resolve())
            lease = Lease(address, [service.renewal() for service in self.services], self._lost)
            await lease.start()
            stack.push_async_callback(lease.stop)
            stack.enter_context(Watchdog())
            self._heartbeat = self._begin_beating(stack, lease)
            lanes: list[Loop] = []
            attendants: list[Loop] = []
            for service in self.services:
                loops = await service.loops(lease, self._takers(service))
                lanes += loops.lanes
                attendants += loops.attendants
            attendants.append(self._heartbeat.serve())
            if self._equipment.samples:
                attendants.append(Sampler(server, [service.keys.queue for service in self.services]).serve())
            name, queues = self._equipment.worker_name, [service.keys.queue for service in self.services]
            log.info("Worker started", worker=name, queues=queues, server=server.settings.address)
            await self._oversee(lanes, attendants)
            log.info("Worker stopped", worker=name)

    def _takers(self, service: QueueService) -> dict[str, Taker]:
        def resize(slots: int) -> None:
            service.runner.resize(slots)
            self.tell()

        return takers_for(self._equipment.worker_id, drain=self.drain, resume=self.resume, resize=resize)

    def _begin_beating(self, stack: AsyncExitStack, lease: Lease) -> Heartbeat:
        equipment = self._equipment
        self._vitals = Vitals(self.services, lease, equipment.trouble, lambda: self.state)
        stack.enter_context(self._vitals.pulse)
        return Heartbeat(
            equipment.client.server,
            self.services,
            self._vitals,
            name=equipment.worker_name,
            instance=equipment.worker_id,
            on_trouble=equipment.trouble.failed,
        )

    async def _oversee(self, lanes: list[Loop], attendants: list[Loop]) -> None:
        """Run all loops until asked to stop; then let the lanes settle what is left."""
        cancelled: asyncio.CancelledError | None = None
        try:
            async with asyncio.TaskGroup() as group:
                lane_tasks = [group.create_task(lane) for lane in lanes]
                attendant_tasks = [group.create_task(attendant) for attendant in attendants]
                self._signs.ready.set()
                try:
                    await self._signs.stop.wait()
                except asyncio.CancelledError as error:
                    # Whoever cancels the worker wants it gone now, but its jobs are handed back all the same.
                    cancelled = error
                    self._signs.now.set()
                self.tell()
                await drain(self.services, self._grace, self._signs.now)
                await settle_rest(self.services, lane_tasks)
                # The sleepers go last: what is settled leaves tokens, and whoever is handed one and has no use for it
                # must still be there to put it back.
                for task in attendant_tasks:
                    task.cancel()
        except BaseExceptionGroup as group_error:
            raise first_error(group_error) from None
        finally:
            await cancel_leftovers(self.services)
            await self._equipment.teller.finish(SETTLE_SECONDS)
            forget_deaf(self.services)
        if cancelled is not None:
            raise cancelled

    def _runs(self) -> list[Run]:
        return [run for service in self.services for run in service.runner.runs]

    def _timed_out(self, run: Run) -> None:
        for service in self.services:
            if run in service.runner.runs:
                service.interrupt(run, Cause.TIMEOUT)

    def _lost(self, slot: int, _wire_id: bytes, token: bytes) -> None:
        for service in self.services:
            service.lost(slot, token)
