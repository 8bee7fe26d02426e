"""Between rules as values (`contracts/schedule`) and the words that the scripts of `recur` take and give."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from corral.contracts.duration import instant
from corral.contracts.producer import ScheduleRequest
from corral.contracts.schedule import Cron, Every, Missed, Repeat, RunAll
from corral.contracts.schedule_snapshot import Schedule
from corral.contracts.strict_json import parse_strict_json
from corral.contracts.wire_options import NO_OPTIONS, decode_options
from corral.engine.keys import QueueKeys
from corral.engine.link import Word
from corral.engine.recur import (
    Iteration,
    NewSchedule,
    Prepared,
    ScheduleRefusal,
    StoredSchedule,
    Upcoming,
    upsert_schedule,
)
from corral.engine.server import Server
from corral.errors import InvalidSchedule, ScheduleTaken

__all__ = ["PREPARED_TIMES", "read_rule", "snapshot", "store_schedule", "times_of"]

PREPARED_TIMES: Final = 12
"""How many times of a cron pattern are stored ahead. A claim asks for more when four are left."""

TAKEN: Final = (-10, -11)
NEVER: Final = -12


async def store_schedule(
    server: Server, keys: QueueKeys, request: ScheduleRequest[Any], *, clock: Word = ""
) -> Iteration:
    """Make or change the schedule of a request; its pending iteration. `clock` as for `upsert_schedule`.

    Raises:
        InvalidSchedule: it would never run.
        ScheduleTaken: the job of its next run exists already.
        QueueFull: the server has reached maxmemory; nothing was changed.
        ServerUnavailable: no answer in time.
    """
    upcoming = times_of(request.rule) if isinstance(request.rule, Cron) else None
    try:
        return await upsert_schedule(server, keys, _words(request), upcoming=upcoming, clock=clock)
    except ScheduleRefusal as refusal:
        raise _said(request, refusal) from None


def times_of(rule: Cron) -> Upcoming:
    """Computes the times of a pattern that are to be prepared."""

    def upcoming(since: int) -> Prepared:
        times = rule.upcoming(PREPARED_TIMES, since)
        return Prepared(since, tuple(times), len(times) < PREPARED_TIMES)

    return upcoming


def _said(request: ScheduleRequest[Any], refusal: ScheduleRefusal) -> Exception:
    rule = request.rule
    if refusal.code in TAKEN:
        return ScheduleTaken(request.queue, request.schedule_id)
    if refusal.code == NEVER and rule.end is not None:
        return InvalidSchedule("end", rule.end, "no run is left before it")
    said = rule.pattern if isinstance(rule, Cron) else rule.interval
    return InvalidSchedule("pattern", said, "no next run could be computed for it")


def _words(request: ScheduleRequest[Any]) -> NewSchedule:
    rule = request.rule
    words = NewSchedule(
        request.schedule_id,
        request.name,
        request.data,
        request.opts,
        limit=rule.limit,
        start_ms=rule.start_ms,
        end_ms=rule.end_ms,
        immediately=rule.immediately,
        overlap=rule.overlap,
    )
    if isinstance(rule, Cron):
        words = words._replace(pattern=rule.pattern, tz=rule.tz)
    else:
        words = words._replace(every_ms=rule.interval_ms, offset_ms=rule.offset_ms)
    if isinstance(rule.missed, RunAll):
        return words._replace(missed="run_all", missed_limit=rule.missed.limit)
    return words._replace(missed=rule.missed)


def read_rule(stored: StoredSchedule) -> Repeat:
    """The rule of a stored schedule, whoever stored it. Raises `InvalidSchedule` or another `ValueError`.

    Without a zone a pattern is read in UTC; for Node it is the zone of the machine that asks.
    """
    missed: Missed = "skip" if stored.missed == b"skip" else "run_once"
    if stored.missed == b"run_all":
        missed = RunAll(stored.missed_limit)
    common: dict[str, Any] = {
        "start": None if stored.start_ms is None else instant(stored.start_ms),
        "end": None if stored.end_ms is None else instant(stored.end_ms),
        "limit": stored.limit,
        "missed": missed,
        "overlap": stored.overlap.decode(),
    }
    if stored.pattern is not None:
        return Cron(stored.pattern.decode(), tz=(stored.tz or b"UTC").decode(), **common)
    if stored.every_ms is None:
        raise InvalidSchedule(
            "interval", None, "neither pattern nor interval can be read; store the schedule again"
        )
    return Every(stored.every_ms / 1000, offset=stored.offset_ms / 1000, **common)


def snapshot(queue: str, stored: StoredSchedule) -> Schedule:
    """A stored schedule as operators see it. Never fails: what cannot be read is named in ``malformed``."""
    malformed: dict[str, str] = {}

    def read(name: str, reader: Callable[..., Any], *given: Any) -> Any:
        try:
            return reader(*given)
        except (ValueError, OverflowError) as error:
            malformed[name] = str(error)
            return None

    return Schedule(
        id=_text(stored.schedule_id),
        queue=queue,
        name=_text(stored.name),
        rule=read("rule", read_rule, stored),
        next_run=None if stored.ended else read("next_run", _next_run, stored),
        iterations=stored.made,
        run_number=stored.number,
        data=read("data", parse_strict_json, stored.data),
        opts=read("opts", lambda: decode_options(stored.opts.decode())) or NO_OPTIONS,
        malformed=malformed,
    )


def _next_run(stored: StoredSchedule) -> datetime:
    if stored.next_run is None:
        raise InvalidSchedule("next_run", None, "its time cannot be read; store the schedule again")
    return instant(stored.next_run)


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")
