"""``Retry-After``: what an HTTP error of whatever client says about when to come back.

Errors are known by their shape, so that no HTTP client needs to be installed: those of httpx, requests, aiohttp and
urllib have a status and headers, on themselves or on their ``response``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from corral.contracts.duration import MAX_MS

__all__ = ["answer_ms", "retry_after_ms"]

STATUSES: Final = frozenset({429, 503})
"""Too Many Requests, Service Unavailable: the answers that ask to come back later."""

LONGEST_CHAIN: Final = 10


def retry_after_ms(error: BaseException, now_ms: int) -> int | None:
    """Milliseconds that the service asked to wait, from the error or from what it was raised from.

    None when it asked for nothing, or for no time at all. A date counts from the answer's own ``Date`` where it has
    one, so that the clocks of service and worker need not agree; else from ``now_ms``.
    """
    for cause in _chain(error):
        try:
            asked = _asked_by(getattr(cause, "response", None), now_ms) or _asked_by(cause, now_ms)
        except Exception:  # noqa: BLE001 - somebody else's object: whatever it is, it is no answer of a service
            asked = None
        if asked:
            return asked
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(LONGEST_CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__


def _asked_by(holder: Any, now_ms: int) -> int | None:
    statuses = (getattr(holder, name, None) for name in ("status_code", "status", "code"))
    status = next((value for value in statuses if isinstance(value, int)), None)
    headers = getattr(holder, "headers", None)
    return None if status is None or headers is None else answer_ms(status, headers, now_ms)


def answer_ms(status: int, headers: Any, now_ms: int) -> int | None:
    """Milliseconds that an answer with this status and these headers asks to wait; None when it asks for nothing."""
    if status not in STATUSES:
        return None
    text = _header(headers, "Retry-After")
    if text is None:
        return None
    seconds = _seconds(text)
    if seconds is not None:
        return min(math.ceil(min(seconds, MAX_MS) * 1000), MAX_MS)
    date = _date_ms(text)
    if date is None:
        return None
    said = _date_ms(_header(headers, "Date") or "")
    return max(0, date - (now_ms if said is None else said))


def _header(headers: Any, name: str) -> str | None:
    for spelling in (name, name.lower()):
        value = headers.get(spelling)
        if value is not None:
            return str(value.decode("latin-1") if isinstance(value, bytes) else value).strip()
    return None


def _seconds(text: str) -> float | None:
    """A number of seconds. The standard has whole ones; some services send fractions."""
    if not text.replace(".", "", 1).isdecimal() or not text.isascii():
        return None
    return float(text)


def _date_ms(text: str) -> int | None:
    try:
        date: datetime = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return round((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() * 1000)
