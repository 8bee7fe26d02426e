"""Which finished jobs are kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from corral.contracts.duration import Duration, milliseconds
from corral.contracts.strict_json import as_object
from corral.errors import InvalidOption

__all__ = ["KEEP_ALL", "REMOVE", "Keep", "Retention"]


@dataclass(frozen=True, slots=True)
class Keep:
    """Keep the newest ``count`` finished jobs, and none older than ``age``; None is no limit.

    ``age`` is a `timedelta` or seconds, in whole seconds on the wire. Trimmed when a job finishes, as BullMQ does.
    """

    count: int | None = None
    age: Duration | None = None

    def __post_init__(self) -> None:
        """Refuse counts and ages that BullMQ would read as something else."""
        if not _is_count(self.count):
            raise InvalidOption("count", self.count, "give the number of jobs to keep, 0 or more")
        if self.age is not None and milliseconds("age", self.age) == 0:
            raise InvalidOption("age", self.age, "an age is longer than 0; to keep none, give count=0")

    @property
    def age_seconds(self) -> int | None:
        """The age in whole seconds, rounded up."""
        return None if self.age is None else math.ceil(milliseconds("age", self.age) / 1000)

    @property
    def keeps_all(self) -> bool:
        """Whether nothing is ever trimmed."""
        return self.count is None and self.age is None

    @staticmethod
    def parse(option: str, value: Any) -> Keep:
        """A `Keep` from any form of the option: True removes at once, False keeps all, a number is a count,
        a `timedelta` an age, a mapping BullMQ's own form. Raises `InvalidOption`."""
        if isinstance(value, Keep):
            return value
        if isinstance(value, bool):
            return REMOVE if value else KEEP_ALL
        try:
            if isinstance(value, int):
                return Keep(count=value)
            if isinstance(value, timedelta):
                return Keep(age=value)
            mapping = as_object(value)
            if mapping is not None and mapping.keys() <= {"age", "count", "limit"}:
                return Keep(count=mapping.get("count"), age=mapping.get("age"))
        except InvalidOption as error:
            raise InvalidOption(option, value, error.reason) from None
        raise InvalidOption(
            option,
            value,
            "give True (remove at once), False (keep all), a number of jobs, a timedelta, or Keep(…)",
        )


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


KEEP_ALL = Keep()
REMOVE = Keep(count=0)

Retention = bool | int | timedelta | Keep
"""The forms that ``remove_on_complete`` and ``remove_on_fail`` take; see `Keep.parse`."""
