"""Serving one queue: its runner, lanes, sleeper, recoverer, recurrer and order reader, and what is between them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, NamedTuple

from corral.contracts.failure import CANCELLED, FailureKind, cancellation, kind_of_deferred
from corral.contracts.names import connection_name
from corral.contracts.secret import masked_text
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.record import OVERRULED, Refusal, Settlement, Verb
from corral.engine.recover import renew_script
from corral.engine.server import Server
from corral.errors import JobCancelled
from corral.logs import LifecycleLog, get_logger
from corral.worker.callbacks import Callbacks, Teller
from corral.worker.canceller import Canceller
from corral.worker.executor import Executor
from corral.worker.lane import Lane
from corral.worker.lease.lease import Lease, QueueLease
from corral.worker.limit_watch import LimitWatch
from corral.worker.observers import Observers
from corral.worker.order_reader import OrderReader, Taker
from corral.worker.queue_runner import Ended, QueueRunner
from corral.worker.recoverer import Recoverer
from corral.worker.recurrer import Recurrer
from corral.worker.run import Cause, Run
from corral.worker.serve import QueueSettings
from corral.worker.sleeper import Sleeper
from corral.worker.trouble import TroubleLog

__all__ = ["LANES", "QueueService"]

LANES: Final = 2

STUCK_GRACE: Final = 5.0
"""Seconds that a handler may take to end after its timeout, or whoever cancelled its job, cancelled it."""

log = get_logger("worker")

_ABOUT_CHILDREN: Final[dict[int, str]] = {
    Refusal.CHILDREN_PENDING: "the job has children that have not finished: raise WaitForChildren to wait for them",
    Refusal.CHILDREN_FAILED: "a child of the job failed",
    Refusal.NO_CHILDREN: "the job waits for children (WaitForChildren) and has none: add them first",
}
"""Refusals that another settlement mends: the job fails with the reason."""


class Loops(NamedTuple):
    """The loops of one queue: lanes end by themselves when all is settled, attendants are cancelled before."""

    lanes: list[Coroutine[Any, Any, None]]
    attendants: list[Coroutine[Any, Any, None]]


class QueueService:
    """One queue of a worker.

    A claimed job gets its lease before its handler may run, and keeps it until its outcome is stored: the lock must
    not run out while the server is away and the settlement is sent again and again.
    """

    def __init__(
        self,
        index: int,
        keys: QueueKeys,
        settings: QueueSettings,
        singletons: str,
        *,
        server: Server,
        executor: Executor,
        worker_id: str,
        worker_name: str,
        lifecycle: LifecycleLog,
        callbacks: Callbacks,
        teller: Teller,
        trouble: TroubleLog,
        observers: Observers,
        on_ended: Callable[[], None],
    ) -> None:
        self.keys = keys
        self.settings = settings
        self._singletons = singletons
        self.runner = QueueRunner(settings.concurrency, self._start)
        self._index = index
        self._server = server
        self._executor = executor
        self._worker_id = worker_id
        self._worker_name = worker_name
        self._log = lifecycle
        self._callbacks = callbacks
        self._teller = teller
        self._trouble = trouble
        self._observers = observers
        self._on_ended = on_ended
        self._recurrer = Recurrer(server, keys, interval=settings.stalled_interval, on_trouble=trouble.failed)
        self._lease: Lease | None = None
        self._by_slot: dict[int, Run] = {}
        self._canceller = Canceller(keys, lambda: self.runner.runs, self.interrupt)
        self.deaf: set[asyncio.Task[None]] = set()
        """Handlers that go on though they were cancelled."""
        self._loop = asyncio.get_running_loop()

    def renewal(self) -> QueueLease:
        """How the locks of its jobs are renewed."""
        script = renew_script()
        return QueueLease(
            script=script.text,
            keys=[*self.keys.all(script.keys), self.keys.nothing],
            prefix=self.keys.base,
            lock_ms=int(self.settings.lock_duration * 1000),
        )

    async def loops(self, lease: Lease, takers: Mapping[str, Taker]) -> Loops:
        """What is to run for this queue. `takers` are for orders that are about the whole worker."""
        self._lease = lease
        name = connection_name(self.keys.prefix, self.keys.queue, self._worker_name)
        lanes = [await self._lane(number) for number in range(LANES)]
        sleeper = Sleeper(
            self.runner,
            await self._server.link(self.keys, name=name),
            self.keys,
            limits=LimitWatch(self._server, self.keys),
            on_trouble=self._trouble.failed,
        )
        recoverer = Recoverer(
            await self._server.link(self.keys), self.keys, self.settings,
            on_stalled=self._stalled, on_looked=self.runner.wake, on_trouble=self._trouble.failed,
        )  # fmt: skip
        listening = f"{connection_name(self.keys.prefix, self.keys.queue)}:orders"
        orders = OrderReader(
            await self._server.link(self.keys, name=listening),
            self.keys,
            {**takers, "cancel": self._canceller.take},
            on_doubt=self._canceller.look,
            on_trouble=self._trouble.failed,
        )
        await orders.begin()
        attendants: list[Coroutine[Any, Any, None]] = [
            sleeper.serve(), recoverer.serve(), self._recurrer.serve(), orders.serve(),
        ]  # fmt: skip
        return Loops([lane.serve() for lane in lanes], attendants)

    async def _lane(self, number: int) -> Lane:
        return Lane(
            self.runner,
            await self._server.link(self.keys),
            self.keys,
            name=f"{self._worker_id}:{number}",
            worker=self._worker_name,
            lock_ms=int(self.settings.lock_duration * 1000),
            limiter=self.settings.limiter,
            singletons=self._singletons,
            max_stalled=self.settings.max_stalled,
            metric_points=self.settings.metric_minutes,
            on_settled=self._settled,
            on_recurring=self._recurrer.wanted,
            on_trouble=self._trouble.failed,
            on_answer=self._trouble.answered,
        )

    def _start(self, run: Run) -> None:
        assert self._lease is not None
        claimed = run.claimed
        try:
            run.slot = self._lease.hold(self._index, claimed.wire_id, run.token.encode(), claimed.fence)
            self._by_slot[run.slot] = run
        except ValueError as error:
            log.warning("Job runs without renewal of its lock", queue=self.keys.queue, reason=str(error))
        run.task = self._loop.create_task(self._execute(run))
        self._canceller.begun(run)

    async def _execute(self, run: Run) -> None:
        run.begun = True
        settlement: Settlement | None
        try:
            settlement = await self._executor.run(run)
        except BaseException as error:  # noqa: BLE001 - here a job meets the worker, past all that `run` catches
            settlement = self._executor.broken_off(run, error)
        self._end(run, settlement)

    def _end(self, run: Run, settlement: Settlement | None) -> None:
        if run.ended:  # it was abandoned, and its handler has come to an end after all
            return
        run.seconds = time.monotonic() - run.since
        if settlement is None:
            self._release(run)
        self.runner.end(run, settlement)
        self._on_ended()

    def interrupt(self, run: Run, cause: Cause) -> None:
        """Cancel a run's handler. It may take `STUCK_GRACE` to end; then its job is settled without it."""
        run.interrupt(cause)
        self._loop.call_later(STUCK_GRACE, self._still_there, run)

    def _still_there(self, run: Run) -> None:
        if run in self.runner.runs:
            self.abandon(run)

    def abandon(self, run: Run) -> None:
        """Settle a run whose handler was cancelled and goes on all the same. Its slot is free again."""
        if not run.ended:
            log.error(
                "Handler does not end although it was cancelled; its job is settled without it",
                jobName=run.name, jobId=run.job_id, cause=str(run.cause),
            )  # fmt: skip
            self._end(run, self._executor.abandon(run))
            if run.task is not None:
                self.deaf.add(run.task)
                run.task.add_done_callback(self.deaf.discard)

    def lost(self, slot: int, token: bytes) -> None:
        """The renewer says that a lock is gone and cannot be taken again."""
        run = self._by_slot.get(slot)
        if run is not None and run.token.encode() == token and not run.ended:
            log.warning(
                "Lock lost: another worker has the job, this run is cancelled",
                jobName=run.name,
                jobId=run.job_id,
            )
            run.interrupt(Cause.LOST)

    def _stalled(self, job_id: str) -> None:
        self._observers.stalled(self.keys.queue)
        if self._callbacks.stalled is not None:
            self._teller.tell(self._callbacks.stalled, self.keys.queue, job_id)

    def _release(self, run: Run) -> None:
        if self._lease is not None and run.slot >= 0:
            self._by_slot.pop(run.slot, None)
            self._lease.drop(run.slot)
            run.slot = -1

    def _settled(self, ended: Ended, code: int) -> None:
        """The server has answered to a settlement."""
        run, settlement = ended
        if code in _ABOUT_CHILDREN:
            self.runner.settle_again(Ended(run, _failed_for_children(settlement, code)))
            return
        self._release(run)
        if code == OVERRULED:
            run.error = cancellation(run.job_id, run.reason)
            reason = run.reason or CANCELLED
            kind = kind_of_deferred(reason)
            self._failed(run, settlement._replace(verb=Verb.FAIL, text=reason, trace="", kind=kind))
        elif code:
            log.warning(
                "Outcome refused: this run of the job no longer counts",
                jobName=run.name, jobId=run.job_id, reason=Refusal(code).name.lower(),
            )  # fmt: skip
        elif settlement.verb == Verb.COMPLETE:
            self._completed(run, settlement)
        elif settlement.verb in (Verb.FAIL, Verb.RETRY, Verb.DELAY):
            self._failed(run, settlement)

    def _completed(self, run: Run, settlement: Settlement) -> None:
        self._observers.settled(self.keys.queue, run, settlement)
        if self._log.info:
            self._log.completed(run.name, run.job_id)
        if self._callbacks.completed is not None:
            job = run.snapshot(self.keys.queue)
            self._teller.tell(self._callbacks.completed, job, json.loads(_text(settlement.text)))

    def _failed(self, run: Run, settlement: Settlement) -> None:
        self._observers.settled(self.keys.queue, run, settlement)
        if isinstance(run.error, JobCancelled):
            reason = masked_text(str(settlement.text))
            log.info("Job cancelled", jobName=run.name, jobId=run.job_id, reason=reason)
        else:
            self._log.failed(
                run.name, run.job_id, (run.made or 0) + 1, str(settlement.text), settlement.trace
            )
        error = run.error or RuntimeError(str(settlement.text))
        callbacks = self._callbacks
        if callbacks.failed is None and callbacks.exhausted is None:
            return
        job = run.snapshot(self.keys.queue)
        if callbacks.failed is not None:
            self._teller.tell(callbacks.failed, job, error)
        if callbacks.exhausted is not None and settlement.verb == Verb.FAIL:
            self._teller.tell(callbacks.exhausted, job, error)


def _text(word: Word) -> str | bytes:
    """The words of a result or a reason are text or bytes, never numbers."""
    return word if isinstance(word, str | bytes) else str(word)


def _failed_for_children(settlement: Settlement, code: int) -> Settlement:
    reason = _ABOUT_CHILDREN[code]
    return settlement._replace(
        verb=Verb.FAIL, text=reason, amount=1, keep_count=-1, keep_age=-1, kind=FailureKind.PERMANENT
    )
