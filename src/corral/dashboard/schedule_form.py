"""The form of a schedule: its fields as texts, and the schedule that they describe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

from corral.contracts.backoff import Exponential, Fixed
from corral.contracts.options import RunOptions
from corral.contracts.schedule import Cron, Every, Repeat
from corral.contracts.schedule_snapshot import Schedule
from corral.contracts.stored_options import StoredOptions
from corral.contracts.strict_json import parse_strict_json
from corral.errors import InvalidOption

__all__ = ["FIELDS", "KEPT", "ScheduleForm"]

FIELDS: Final = ("id", "name", "pattern", "tz", "every", "offset", "payload", "attempts", "priority")

KEPT: Final = frozenset(
    {
        "attempts",
        "backoff",
        "timeout",
        "priority",
        "lifo",
        "removeOnComplete",
        "removeOnFail",
        "repeat",
        "jobId",
    }
)
"""The stored options that an edit keeps; others are lost, and the form says which."""

NOTHING: Final[Mapping[str, str]] = dict.fromkeys(FIELDS, "") | {"tz": "UTC", "payload": "{}"}


class ScheduleForm:
    """What was written into the fields, over the schedule that is edited, if it is one."""

    def __init__(self, texts: Mapping[str, str], edited: Schedule | None) -> None:
        self.texts = {**NOTHING, **texts}
        self._edited = edited

    @staticmethod
    def of(schedule: Schedule) -> ScheduleForm:
        """The form that shows a schedule."""
        rule, opts = schedule.rule, schedule.opts
        texts = {
            "id": schedule.id,
            "name": schedule.name,
            "payload": json.dumps(schedule.data, ensure_ascii=False, indent=2),
            "attempts": str(opts.attempts),
            "priority": str(opts.priority or ""),
        }
        if isinstance(rule, Cron):
            texts |= {"pattern": rule.pattern, "tz": rule.tz}
        elif isinstance(rule, Every):
            offset = "" if rule.offset is None else f"{rule.offset.total_seconds():g}"
            texts |= {"every": f"{rule.interval_ms / 1000:g}", "offset": offset}
        return ScheduleForm(texts, schedule)

    @property
    def lost(self) -> list[str]:
        """The options of the edited schedule that an edit would not keep."""
        return [] if self._edited is None else sorted(set(self._edited.opts.raw) - KEPT)

    def rule(self) -> Repeat:
        """When it runs. What no field asks for stays as it was. Raises `InvalidSchedule` and `InvalidOption`."""
        pattern, every = self.texts["pattern"].strip(), self.texts["every"].strip()
        if bool(pattern) == bool(every):
            raise InvalidOption("pattern", pattern, "give a pattern or an interval, one of them")
        before = None if self._edited is None else self._edited.rule
        kept = {} if before is None else {
            name: getattr(before, name) for name in ("start", "end", "limit", "missed", "overlap")
        }  # fmt: skip
        if pattern:
            zone = self.texts["tz"].strip() or "UTC"
            if isinstance(before, Cron):
                return replace(before, pattern=pattern, tz=zone)
            return Cron(pattern, tz=zone, **kept)
        offset = self.texts["offset"].strip()
        return Every(_seconds("every", every), offset=_seconds("offset", offset) if offset else None, **kept)

    def payload(self) -> Any:
        """Of its jobs. Raises `InvalidOption`."""
        try:
            return parse_strict_json(self.texts["payload"])
        except ValueError as error:
            raise InvalidOption("payload", self.texts["payload"][:200], f"it is not JSON: {error}") from None

    def options(self) -> RunOptions:
        """How its jobs run. Raises `InvalidOption`."""
        given: dict[str, Any] = {} if self._edited is None else _options_of(self._edited.opts)
        for name in ("attempts", "priority"):
            text = self.texts[name].strip()
            given.pop(name, None)
            if text:
                given[name] = _whole(name, text)
        return cast("RunOptions", given)


def _options_of(stored: StoredOptions) -> dict[str, Any]:
    backoff = stored.backoff
    found = {
        "backoff": backoff.resolve()
        if backoff is not None and backoff.type in ("fixed", "exponential")
        else None,
        "timeout": None if stored.timeout_ms is None else stored.timeout_ms / 1000,
        "lifo": stored.lifo or None,
        "remove_on_complete": stored.remove_on_complete,
        "remove_on_fail": stored.remove_on_fail,
    }
    assert found["backoff"] is None or isinstance(found["backoff"], Fixed | Exponential)
    return {name: value for name, value in found.items() if value is not None}


def _seconds(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidOption(name, text, "give seconds, as a number") from None


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 12):
        raise InvalidOption(name, text, "give a whole number")
    return int(text)
