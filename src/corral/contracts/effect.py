"""Effects that happen once: their keys, and what a run hears when another is inside."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from corral.contracts.duration import Duration, milliseconds
from corral.contracts.outcome import Snooze
from corral.errors import InvalidOption

__all__ = ["KEPT", "EffectUnderWay", "check_effect"]

KEPT: Final = timedelta(days=1)
"""How long the result of an effect is kept, unless the caller says otherwise."""

LONGEST_KEY: Final = 200
PAUSE: Final = 1.0


class EffectUnderWay(Snooze):
    """Another run is inside the effect: this job runs again a second later, and no attempt is spent."""

    def __init__(self, key: str, job_id: str) -> None:
        self.key = key
        self.job_id = job_id
        super().__init__(PAUSE)


def check_effect(key: object, keep: Duration) -> int:
    """``keep`` in milliseconds. Raises `InvalidOption` for a key or a time that cannot be."""
    if not isinstance(key, str) or not key or len(key.encode(errors="replace")) > LONGEST_KEY:
        raise InvalidOption("key", key, f"give text of 1 to {LONGEST_KEY} bytes")
    if not key.isprintable():
        raise InvalidOption("key", key, "it has control characters, or is not valid Unicode")
    if (keep_ms := milliseconds("keep", keep)) == 0:
        raise InvalidOption("keep", keep, "longer than 0")
    return keep_ms
