"""The sampler: each minute keeps what BullMQ does not, and charts and failures need."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from corral.admin.failure_index import FailureIndex
from corral.admin.lookback import roll_up
from corral.contracts.duration import instant_ms
from corral.contracts.sample import Sample, percentile
from corral.contracts.states import JobState
from corral.contracts.stored_options import decode_options
from corral.contracts.stretch import QUARTER_MS
from corral.engine.browse import list_queues
from corral.engine.faults import ResponseError, Unanswered
from corral.engine.gather_samples import Measure, TimesOfJob, take_sample, write_sample
from corral.engine.server import Server
from corral.errors import CorralError, InvalidOption
from corral.logs import get_logger

__all__ = ["Sampler", "oldest_waiting", "sample_of"]

log = get_logger("admin")

FILED_A_MINUTE: Final = 5000
"""How many failed jobs of a queue a sampler files each minute at most."""

ROUNDS_WITH_THE_SAME_QUEUES: Final = 10


class Sampler:
    """Samples queues, each minute soon after it has ended, and keeps their failures filed.

    Any number of samplers may run, in every worker and in `corral serve`: the server lets one of them take the sample
    of a queue and minute, for the price of one call a minute to the others. A minute in which none ran is a gap.

    Args:
        server: connections; they stay open.
        queues: whose; None for all under the prefix, looked for every ten minutes.
    """

    def __init__(self, server: Server, queues: Sequence[str] | None = None) -> None:
        self._server = server
        self._given = queues
        self._found: list[str] = []
        self._rounds = 0

    async def serve(self) -> None:
        """Sample until cancelled."""
        while True:
            await asyncio.sleep(until_next_round())
            try:
                await self.sample_once()
            except (CorralError, ResponseError) as error:
                log.warning("No samples were taken", err=str(error))

    async def sample_once(self, now: datetime | None = None) -> int:
        """Sample the minute before `now` (else the server's time), where nobody has. Returns of how many queues.

        Raises `ServerUnavailable` when the names of the queues cannot be read; a queue that cannot be sampled is left
        out, and logged.
        """
        clock = "" if now is None else str(instant_ms("now", now))
        return sum([await self._sample(queue, clock) for queue in await self._queues()])

    async def _sample(self, queue: str, clock: str) -> bool:
        try:
            keys = self._server.keys(queue)
            measure = await take_sample(self._server, keys, clock=clock)  # a lost reply is a gap
            if measure is None:
                return False
            minute, sample = measure.minute, sample_of(measure).encode()
            await self._server.patiently(lambda: write_sample(self._server, keys, minute, sample))
            if minute % QUARTER_MS == 0:
                await roll_up(self._server, keys, minute)
            await FailureIndex(self._server, keys).gather(FILED_A_MINUTE)
        except (CorralError, Unanswered, ResponseError) as error:
            log.warning("A queue was not sampled", queue=queue, err=str(error))
            return False
        return True

    async def _queues(self) -> Sequence[str]:
        if self._given is not None:
            return self._given
        if self._rounds % ROUNDS_WITH_THE_SAME_QUEUES == 0:

            async def listed() -> list[str]:
                return sorted([name async for name in list_queues(self._server)])

            self._found = await self._server.patiently(listed)
        self._rounds += 1
        return self._found


def until_next_round() -> float:
    """Seconds until some seconds after the next minute has begun: what ended in the last one is filed by then."""
    return 60 - time.time() % 60 + random.uniform(1, 5)


def sample_of(measure: Measure) -> Sample:
    """A sample, from what the server says. Jobs whose times cannot be read do not count."""
    waits = [wait for job in measure.ended if (wait := _wait(job)) is not None]
    runs = [run for job in measure.ended if (run := _between(job.processed_on, job.finished_on)) is not None]
    states = [state for state in JobState if state is not JobState.UNKNOWN]
    return Sample(
        at=datetime.fromtimestamp(measure.minute / 1000, UTC),
        counts=dict(zip(states, measure.counts, strict=True)),
        completed=measure.completed,
        failed=measure.failed,
        measured=len(runs),
        wait_p50=percentile(waits, 0.5),
        wait_p95=percentile(waits, 0.95),
        run_p50=percentile(runs, 0.5),
        run_p95=percentile(runs, 0.95),
        oldest_waiting=oldest_waiting(measure.line, measure.now),
    )


def oldest_waiting(line: Sequence[TimesOfJob], now: int) -> int | None:
    """For how long (ms) the job has been due that is next in line; None where none waits, or none tells."""
    ages = [now - due for job in line if (due := _due(job)) is not None]
    return max(0, *ages) if ages else None


def _wait(job: TimesOfJob) -> int | None:
    """How long it was due before it started; None of one that was tried again, whose first start nobody has kept."""
    due, started = _due(job), _number(job.processed_on)
    if due is None or started is None or job.starts != b"1":
        return None
    return max(0, started - due)


def _due(job: TimesOfJob) -> int | None:
    created = _number(job.timestamp)
    try:
        delay = decode_options(job.opts.decode(errors="replace") or "{}").delay_ms
    except InvalidOption:
        return None
    return None if created is None else created + delay


def _between(start: bytes, end: bytes) -> int | None:
    first, last = _number(start), _number(end)
    return None if first is None or last is None else max(0, last - first)


def _number(text: bytes) -> int | None:
    return int(text) if text.isdigit() and len(text) < 16 else None
