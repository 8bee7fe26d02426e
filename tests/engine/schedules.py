"""Schedules for the tests of the engine: intervals, and a cron pattern whose times anybody can compute."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from corral.engine.recur import (
    Iteration,
    NewSchedule,
    Prepared,
    StoredSchedule,
    prepare_schedule,
    read_schedule,
    remove_schedule,
    sweep_schedules,
    upsert_schedule,
)
from tests.engine.driver import START, Driver

MINUTE = 60_000
AHEAD = 12


def at(minutes: float) -> int:
    """So many minutes after the clock of every test begins."""
    return START + int(minutes * MINUTE)


def job(minutes: float, schedule_id: str = "s") -> str:
    """The id of the iteration of then."""
    return f"repeat:{schedule_id}:{at(minutes)}"


def each_minute(after: int, *, count: int = AHEAD, end_ms: int | None = None) -> Prepared:
    """The times of `* * * * *` after an instant."""
    first = after // MINUTE + 1
    times = [MINUTE * (first + step) for step in range(count)]
    known = tuple(time for time in times if end_ms is None or time <= end_ms)
    return Prepared(after, known, len(known) < count)


@dataclass
class Schedules:
    """The schedules of a driver's queue."""

    driver: Driver

    async def every(self, minutes: float = 1, schedule_id: str = "s", **rest: Any) -> Iteration:
        """Upsert an interval."""
        rest.setdefault("name", "n")
        schedule = NewSchedule(schedule_id, every_ms=int(minutes * MINUTE), **rest)
        return await upsert_schedule(self.driver.server, self.driver.keys, schedule, clock=self.driver.now)

    async def cron(self, schedule_id: str = "s", *, count: int = AHEAD, **rest: Any) -> Iteration:
        """Upsert a pattern that runs at every full minute."""
        rest.setdefault("name", "n")
        schedule = NewSchedule(schedule_id, **{"pattern": "* * * * *", "tz": "UTC", **rest})
        return await upsert_schedule(
            self.driver.server,
            self.driver.keys,
            schedule,
            upcoming=lambda after: each_minute(after, count=count, end_ms=schedule.end_ms),
            clock=self.driver.now,
        )

    async def remove(self, schedule_id: str = "s") -> bool:
        """Remove one."""
        return await remove_schedule(self.driver.server, self.driver.keys, schedule_id)

    async def read(self, schedule_id: str = "s") -> StoredSchedule:
        """One that is there."""
        _, found = await read_schedule(
            self.driver.server, self.driver.keys, schedule_id, clock=self.driver.now
        )
        assert found is not None
        return found

    async def prepare(self, schedule_id: str = "s", *, since: int | None = None, count: int = AHEAD) -> bool:
        """What a worker does for a schedule that wants its times."""
        row = await self.read(schedule_id)
        assert row.next_run is not None
        prepared = each_minute(max(row.next_run, self.driver.now) if since is None else since, count=count)
        return await prepare_schedule(
            self.driver.server, self.driver.keys, schedule_id, row.rule, prepared, clock=self.driver.now
        )

    async def sweep(self) -> list[str]:
        """A whole sweep, as if its interval had passed; the schedules that want their times."""
        await self.driver.call("DEL", self.driver.keys.key("swept"))
        cursor, wanting = b"", list[bytes]()
        while cursor != b"0":
            cursor, found = await sweep_schedules(
                self.driver.server, self.driver.keys, cursor, interval_ms=30_000, clock=self.driver.now
            )
            wanting += found
        return [schedule_id.decode() for schedule_id in wanting]

    async def claim(self, wanted: int = 10) -> list[str]:
        """Claim what there is; the ids."""
        claims = await self.driver.claim(self.driver.a_claim(wanted))
        return [claimed.wire_id.decode() for claimed in claims.jobs]

    async def wanting(self) -> list[str]:
        """Claim what there is; the schedules that want their times."""
        claims = await self.driver.claim(self.driver.a_claim(10))
        return [schedule_id.decode() for schedule_id in claims.unprepared]

    async def pending(self, schedule_id: str = "s") -> list[str]:
        """Every iteration that waits for its start, in whatever list."""
        keys, call = self.driver.keys, self.driver.call
        lists: Sequence[list[str]] = [
            *[await call("LRANGE", keys.key(name), 0, -1) for name in ("wait", "paused")],
            *[await call("ZRANGE", keys.key(name), 0, -1) for name in ("delayed", "prioritized")],
        ]
        found = [wire_id for ids in lists for wire_id in ids if wire_id.startswith(f"repeat:{schedule_id}:")]
        started = [
            wire_id for wire_id in found if "ats" in await self.driver.fields(self.driver.keys.job(wire_id))
        ]
        return [wire_id for wire_id in found if wire_id not in started]

    async def definition(self, schedule_id: str = "s") -> dict[str, str]:
        """The hash of a schedule."""
        return await self.driver.fields(f"{self.driver.keys.base}repeat:{schedule_id}")

    async def job(self, minutes: float, schedule_id: str = "s") -> dict[str, str]:
        """The hash of an iteration."""
        return await self.driver.fields(self.driver.keys.job(job(minutes, schedule_id)))

    async def opts(self, minutes: float, schedule_id: str = "s") -> dict[str, Any]:
        """The options of an iteration."""
        stored: dict[str, Any] = json.loads((await self.job(minutes, schedule_id))["opts"])
        return stored
