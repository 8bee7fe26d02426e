"""The recurrer: keeps the chains of schedules going where a claim cannot do that alone."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable

from corral.contracts.schedule import Cron, RunAll
from corral.engine.faults import ResponseError, Unanswered
from corral.engine.keys import QueueKeys
from corral.engine.recur import (
    Prepared,
    StoredSchedule,
    prepare_schedule,
    read_schedule,
    sweep_schedules,
)
from corral.engine.recur_rules import PREPARED_TIMES, read_rule, times_of
from corral.engine.server import Server
from corral.errors import CorralError, InvalidSchedule
from corral.logs import get_logger
from corral.worker.trouble import log_damage

__all__ = ["PREPARED_TIMES", "Recurrer", "prepare_times"]

log = get_logger("worker")


class Recurrer:
    """Prepares the times of cron schedules, and sweeps.

    A claim makes the next iteration of a schedule in the same step in which it starts one; for a cron pattern it takes
    the times that are prepared. It names the schedules whose times run low, or were never prepared because Node made
    or changed the schedule (`wanted`); these are served here, in calls of their own.

    At the start and every stalled interval all schedules are looked at, page by page: those whose pending iteration is
    in no state get it again. All workers do; the server lets one at a time.
    """

    def __init__(
        self,
        server: Server,
        keys: QueueKeys,
        *,
        interval: float,
        on_trouble: Callable[[Unanswered, float], None],
    ) -> None:
        self._server = server
        self._keys = keys
        self._interval = interval
        self._on_trouble = on_trouble
        self._wanted: dict[bytes, None] = {}
        self._woken = asyncio.Event()

    def wanted(self, schedule_ids: Iterable[bytes]) -> None:
        """These schedules want their next times."""
        self._wanted.update(dict.fromkeys(schedule_ids))
        self._woken.set()

    async def serve(self) -> None:
        """Prepare and sweep until cancelled."""
        loop = asyncio.get_running_loop()
        sweep_at = loop.time()
        while True:
            try:
                if loop.time() >= sweep_at:
                    sweep_at = loop.time() + self._interval * random.uniform(0.95, 1.05)
                    await self._sweep()
                self._woken.clear()
                while self._wanted:
                    schedule_id = next(iter(self._wanted))
                    await self._prepare(schedule_id)
                    self._wanted.pop(schedule_id, None)
            except Unanswered as error:
                self._on_trouble(error, 1.0)
                await asyncio.sleep(random.uniform(0.5, 1.0))
                continue
            except ResponseError as error:
                log_damage(self._keys.queue, error)
                self._wanted.clear()
            await self._until(sweep_at)

    async def _until(self, when: float) -> None:
        """Wait until then, or until a schedule wants something."""
        try:
            async with asyncio.timeout_at(when):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _sweep(self) -> None:
        # A little less than the interval, as with the stalled check.
        interval_ms, cursor = max(1, int(self._interval * 900)), b""
        while cursor != b"0":
            cursor, wanting = await sweep_schedules(self._server, self._keys, cursor, interval_ms=interval_ms)
            self._wanted.update(dict.fromkeys(wanting))

    async def _prepare(self, schedule_id: bytes) -> None:
        while True:
            now, schedule = await read_schedule(self._server, self._keys, schedule_id)
            if schedule is None or (schedule.every_ms is not None and schedule.next_run is not None):
                return
            try:
                prepared = prepare_times(schedule, now)
            except (CorralError, UnicodeDecodeError, OverflowError) as error:
                log.error(
                    "Schedule cannot go on until it is stored again: its rule or time cannot be read",
                    queue=self._keys.queue, schedule=schedule_id.decode(errors="replace"), err=str(error),
                )  # fmt: skip
                return
            if await prepare_schedule(self._server, self._keys, schedule_id, schedule.rule, prepared):
                return


def prepare_times(schedule: StoredSchedule, now_ms: int) -> Prepared:
    """The next times of a stored cron schedule. Raises `InvalidSchedule` for what cannot be read."""
    rule = read_rule(schedule)
    if not isinstance(rule, Cron):
        raise InvalidSchedule("pattern", None, "the schedule has no pattern")
    due = schedule.next_run
    if due is None:
        raise InvalidSchedule("next_run", None, "its time cannot be read")
    if not isinstance(rule.missed, RunAll) or due >= now_ms:
        return times_of(rule)(max(due, now_ms, schedule.start_ms or 0))
    first = rule.run_after(due, now_ms)
    wanted = rule.missed.limit + PREPARED_TIMES
    times = [] if first is None else [first, *rule.upcoming(wanted, first)]
    return Prepared(due, tuple(times), len(times) <= wanted)
