"""Schedules as Redis holds them: BullMQ's hash ``repeat:<id>`` (wire format §23), and what it has no field for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast

from corral.contracts.schedule import Cron, Every, Missed, Overlap, Repeat, RunAll
from corral.contracts.strict_json import as_object, parse_strict_json
from corral.errors import InvalidSchedule

__all__ = [
    "check_schedule_id",
    "decode_rule",
    "encode_policies",
    "encode_rule",
    "instant",
    "iteration_id",
    "repeat_options",
]

LONGEST_ID = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LIKE_AN_ITERATION = re.compile(r":[0-9]+\Z")


def check_schedule_id(schedule_id: object) -> str:
    """Return ``schedule_id``, or raise `InvalidSchedule`: text of 1 to 200 bytes, which does not end in ``:`` and a
    number (its hash would have the key of another schedule's job)."""
    if not isinstance(schedule_id, str) or not schedule_id:
        raise InvalidSchedule("id", schedule_id, "the id of a schedule is text, and not empty")
    if _CONTROL.search(schedule_id) or len(schedule_id.encode(errors="replace")) > LONGEST_ID:
        raise InvalidSchedule("id", schedule_id, f"at most {LONGEST_ID} bytes, and no control characters")
    if _LIKE_AN_ITERATION.search(schedule_id):
        raise InvalidSchedule(
            "id",
            schedule_id,
            "an id that ends in a colon and a number reads like the job of another schedule",
        )
    return schedule_id


def iteration_id(schedule_id: str, run_ms: int) -> str:
    """The id of the job that a schedule makes for its run at ``run_ms``."""
    return f"repeat:{schedule_id}:{run_ms}"


def instant(milliseconds: int) -> datetime:
    """The time that is so many milliseconds after the epoch, in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def encode_rule(rule: Repeat) -> dict[str, str]:
    """The fields of the hash that say when: ``pattern`` and ``tz``, or ``every`` and ``offset``; and the bounds."""
    own: dict[str, int | str | None] = (
        {"pattern": rule.pattern, "tz": rule.tz}
        if isinstance(rule, Cron)
        else {"every": rule.interval_ms, "offset": rule.offset_ms}
    )
    bounds = {"startDate": rule.start_ms, "endDate": rule.end_ms, "limit": rule.limit}
    return {name: str(value) for name, value in (own | bounds).items() if value is not None}


def repeat_options(rule: Repeat, count: int) -> dict[str, int | str]:
    """The ``repeat`` option of the job of iteration ``count`` (from 1), as Node stores it."""
    texts = {"pattern", "tz"}
    fields = encode_rule(rule)
    options: dict[str, int | str] = {
        name: value if name in texts else int(value) for name, value in fields.items()
    }
    return {**options, "count": count}


def encode_policies(rule: Repeat) -> str:
    """``missed`` and ``overlap`` as JSON, for Corral's own key; empty when both are BullMQ's way."""
    stored: dict[str, Any] = {}
    if isinstance(rule.missed, RunAll):
        stored["missed"] = {"runAll": rule.missed.limit}
    elif rule.missed != "run_once":
        stored["missed"] = rule.missed
    if rule.overlap != "allow":
        stored["overlap"] = rule.overlap
    return json.dumps(stored, separators=(",", ":")) if stored else ""


def decode_rule(fields: Mapping[str, str], policies: str = "") -> Repeat:
    """The rule in a schedule's hash, whoever wrote it. Raises `InvalidSchedule`.

    Without ``tz`` a pattern is read in UTC; for Node it is the zone of the machine that asks.
    """
    missed, overlap = _decode_policies(policies)
    start, end, limit = _time(fields, "startDate"), _time(fields, "endDate"), _number(fields, "limit")
    if pattern := fields.get("pattern"):
        tz = fields.get("tz") or "UTC"
        return Cron(pattern, tz=tz, start=start, end=end, limit=limit, missed=missed, overlap=overlap)
    every, offset = _number(fields, "every"), _number(fields, "offset")
    if not every or every < 0:
        raise InvalidSchedule(
            "interval", fields.get("every"), "the schedule has neither a pattern nor an interval"
        )
    return Every(
        timedelta(milliseconds=every),
        offset=None if offset is None else timedelta(milliseconds=offset % every),
        start=start,
        end=end,
        limit=limit,
        missed=missed,
        overlap=overlap,
    )


def _decode_policies(text: str) -> tuple[Missed, Overlap]:
    stored = (as_object(parse_strict_json(text)) if text else None) or {}
    missed, overlap = stored.get("missed", "run_once"), stored.get("overlap", "allow")
    if (run_all := as_object(missed)) is not None:
        missed = RunAll(run_all.get("runAll", 0))
    # What is none of them is refused where the rule is made.
    return cast("Literal['run_once', 'skip'] | RunAll", missed), cast("Overlap", overlap)


def _number(fields: Mapping[str, str], name: str) -> int | None:
    text = fields.get(name)
    if text is None:
        return None
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        raise InvalidSchedule(name, text, "not a number") from None


def _time(fields: Mapping[str, str], name: str) -> datetime | None:
    milliseconds = _number(fields, name)
    try:
        return None if milliseconds is None else instant(milliseconds)
    except OverflowError:
        raise InvalidSchedule(name, milliseconds, "not a time of this calendar") from None
