"""The jobs of one queue inside one worker: slots, runs, and what is to be settled and claimed next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from corral.contracts.observer import QueueLoad
from corral.engine.record import Claimed, Settlement, Verb
from corral.worker.run import Cause, Run

__all__ = ["Ended", "Exchange", "QueueRunner"]

MAX_SETTLEMENTS: Final = 200
"""In one call: it holds the server for a few milliseconds at this size."""

LATEST_MS: Final = 60_000
"""No answer is so much older than another: rather has the server's clock been put back."""


class Ended(NamedTuple):
    """A run whose handler is through, and what is to be stored of it."""

    run: Run
    settlement: Settlement


class Exchange(NamedTuple):
    """One call to make: what to settle, and how many jobs to ask for."""

    ended: list[Ended]
    wanted: int


class QueueRunner:
    """The group commit of one queue.

    Runs that end collect in a buffer. A lane takes all of them, together with the free slots, as one exchange with
    the server; what ends while that call is under way goes with the next. Nothing waits for a timer: a lone job is
    a batch of one. Two lanes share the buffer, so that the server works on one half while handlers run the other.

    A slot is taken from the moment a job is asked for until its handler is through; storing its outcome takes none.
    `drained` means that the last claim found less than it asked for: then nobody asks again without a reason, which
    is a settlement that travels anyway, or a wake-up: that allows one claim (`_probe`).
    """

    def __init__(self, slots: int, start: Callable[[Run], None]) -> None:
        self.slots = slots
        self.claiming = True
        self.closed = False
        self.drained = False
        self.next_due = 0
        self.resume_at = 0.0
        self.asked_at_ms = 0
        self.limit_news = asyncio.Event()
        self.server_ahead_ms = 0.0
        self.last_answer = 0.0
        self.runs: set[Run] = set()
        self.settling = 0
        self._start = start
        self._reserved = 0
        self._probe = False
        self._singly = 0
        self._ended: list[Ended] = []
        self._resume: asyncio.TimerHandle | None = None
        self._work = asyncio.Event()
        self._idle = asyncio.Event()
        self._quiet = asyncio.Event()
        self._quiet.set()

    # -- what lanes ask

    async def next_exchange(self) -> Exchange | None:
        """Wait until there is something to settle or to claim; None when all is done and the runner is closed."""
        while True:
            size = 1 if self._singly else MAX_SETTLEMENTS
            self._singly = max(0, self._singly - 1)
            ended, self._ended = self._ended[:size], self._ended[size:]
            wanted = self._reserve(travels_anyway=bool(ended))
            if ended or wanted:
                self.settling += len(ended)
                return Exchange(ended, wanted)
            if self.closed:
                return None
            self._work.clear()
            await self._work.wait()

    def _reserve(self, *, travels_anyway: bool) -> int:
        if not self.claiming or (self.drained and not travels_anyway and not self._probe):
            return 0
        self._probe = False
        free = self.slots - len(self.runs) - self._reserved
        wanted = max(0, min(free, (self.slots + 1) // 2))
        self._reserved += wanted
        return wanted

    def receive(
        self,
        exchange: Exchange,
        token: str,
        jobs: list[Claimed],
        next_due: int,
        limited_ms: int,
        now_ms: int = 0,
    ) -> None:
        """Take in the answer to an exchange: start the jobs, remember when to ask again. `now_ms` is the server's
        time of the answer."""
        self._reserved -= exchange.wanted
        self.settling -= len(exchange.ended)
        for claimed in jobs:
            run = Run(claimed, token)
            if self.claiming:
                self.runs.add(run)
                self._start(run)
            else:  # the claim was under way when the worker was asked to stop
                give_back = Settlement(claimed.wire_id, token, claimed.fence, Verb.GIVE_BACK, "")
                self._ended.append(Ended(run, give_back))
        if exchange.wanted:
            self.drained = len(jobs) < exchange.wanted
            if next_due or not (jobs or limited_ms):  # else the claim has not looked, and what is known holds
                self.next_due = next_due
            # Of two lanes, one may bring an answer that is older than the last one.
            if not 0 < self.asked_at_ms - now_ms < LATEST_MS:
                self.asked_at_ms = now_ms
                self._limited(limited_ms)
        self._tell()

    def _limited(self, milliseconds: int) -> None:
        """A rate limit ends after so long; 0: there is none."""
        loop = asyncio.get_running_loop()
        resume_at = loop.time() + milliseconds / 1000 if milliseconds else 0.0
        if resume_at < self.resume_at:
            self.limit_news.set()
        self.resume_at = resume_at
        if self._resume is not None:
            self._resume.cancel()
        self._resume = loop.call_at(resume_at, self.wake) if milliseconds else None

    def unanswered(self, exchange: Exchange, *, singly: bool = False) -> None:
        """An exchange that will never be answered: put its slots and settlements back. `singly`: these settlements
        go one in an exchange from here on."""
        self._reserved -= exchange.wanted
        self.settling -= len(exchange.ended)
        self._ended[:0] = exchange.ended
        if singly:
            self._singly = len(exchange.ended)
        else:
            self.drained = True
        self._tell()

    # -- what runs say

    def end(self, run: Run, settlement: Settlement | None) -> None:
        """A handler is through: its slot is free, its outcome waits for the next exchange."""
        if run.ended:
            return
        run.ended = True
        self.runs.discard(run)
        if settlement is None:
            self._tell()
            return
        # This happens for every job, so it says only what a lane or `drain` may wait for.
        self._ended.append(Ended(run, settlement))
        self._work.set()
        if not self.runs:
            self._tell()

    def settle_again(self, ended: Ended) -> None:
        """A settlement was refused for a reason that another one mends."""
        self._ended.append(ended)
        self._tell()

    # -- what the sleeper asks, and tells

    def expect(self, due_ms: int) -> None:
        """A delayed job is due then, by the server's clock."""
        self.next_due = min(self.next_due or due_ms, due_ms)

    async def until_idle(self) -> None:
        """Wait until slots are free and the last claim found too little to fill them."""
        await self._idle.wait()

    @property
    def has_room(self) -> bool:
        """Whether a claim could bring jobs."""
        return self.claiming and len(self.runs) + self._reserved < self.slots

    @property
    def has_free_slots(self) -> bool:
        """Whether fewer jobs run than may, and more are wanted."""
        return self.claiming and len(self.runs) < self.slots

    @property
    def load(self) -> QueueLoad:
        """How busy it is."""
        since = time.monotonic() - self.last_answer if self.last_answer else None
        return QueueLoad(len(self.runs), self.slots, since)

    def wake(self) -> None:
        """There may be something to claim: ask once."""
        self._probe = True
        self._tell()

    # -- control

    def resize(self, slots: int) -> None:
        """Change the number of slots; running jobs beyond it end normally."""
        self.slots = slots
        self._tell()

    def stop_claiming(self) -> None:
        """Ask for no more jobs."""
        self.claiming = False
        self._tell()

    def claim_again(self) -> None:
        """Ask for jobs after all, beginning now."""
        self.claiming = True
        self.wake()

    def close(self) -> None:
        """Let the lanes end once everything is settled."""
        self.closed = True
        if self._resume is not None:
            self._resume.cancel()
        self._tell()

    def interrupt(self, cause: Cause) -> None:
        """Cancel all handlers that run."""
        for run in list(self.runs):
            run.interrupt(cause)

    async def until_quiet(self) -> None:
        """Wait until no handler runs."""
        await self._quiet.wait()

    @property
    def unsettled(self) -> int:
        """How many outcomes are not stored yet."""
        return len(self._ended) + self.settling

    def _tell(self) -> None:
        busy = len(self.runs) + self._reserved
        free = self.claiming and busy < self.slots
        if self._ended or self.closed or (free and (self._probe or not self.drained)):
            self._work.set()
        _set(self._idle, free and self.drained and not self._probe and self._reserved == 0)
        _set(self._quiet, not self.runs)


def _set(event: asyncio.Event, value: bool) -> None:
    if value:
        event.set()
    else:
        event.clear()
