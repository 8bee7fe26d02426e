"""How a line looks: JSON for programs, colours for people."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, MutableMapping
from typing import Any, TypeAlias

Event: TypeAlias = MutableMapping[str, Any]

COLOURS = {"debug": "34", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}
IN_PREFIX = ("scope", "jobName", "jobId", "attempt")


def printable(text: str) -> str:
    """Return the text with whatever could move the cursor, colour, reorder or forge lines escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def plain(value: object) -> str:
    """Any value as one printable line."""
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception as error:  # noqa: BLE001 (a handler's object may raise anything)
        text = f"<{type(value).__name__} whose repr raises {type(error).__name__}>"
    return printable(text)


def clock(
    form: str, convert: Callable[[float], time.struct_time], now: Callable[[], float]
) -> Callable[[], str]:
    """The time as text with milliseconds, kept while it lasts: every job reads it twice."""
    shown = -1
    text = ""

    def read() -> str:
        nonlocal shown, text
        milliseconds = int(now() * 1000)
        if milliseconds != shown:
            seconds, rest = divmod(milliseconds, 1000)
            # Text first: another thread may return it between these two, a millisecond early and no worse.
            text = f"{time.strftime(form, convert(seconds))}.{rest:03d}"
            shown = milliseconds
        return text

    return read


utc_clock = clock("%Y-%m-%dT%H:%M:%S", time.gmtime, time.time)
wall_clock = clock("%H:%M:%S", time.localtime, time.time)


def json_line(event: Event) -> str:
    """One line of strict JSON: timestamp (UTC), level, logger, event, then the rest."""
    first = {"timestamp": f"{utc_clock()}Z"}
    first.update((key, event.pop(key)) for key in ("level", "logger", "event") if key in event)
    try:
        return json.dumps({**first, **event}, default=plain, allow_nan=False, skipkeys=True) + "\n"
    except (ValueError, RecursionError):  # NaN, an object that contains itself
        rest = {str(key): plain(value) for key, value in event.items()}
        return json.dumps({**first, **rest}, default=plain) + "\n"


class PrettyLines:
    """`12:00:00.123 INFO     [worker][email.welcome:1] Job completed  key=value`, in colours where wanted."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def line(self, level: str, scope: str, text: str, fields: str, block: str = "") -> str:
        """Put a line together from parts that are printable already; `block` may have several lines."""
        label = f"{level.upper():<8}"
        time_text = wall_clock()
        if self._colours:
            label = f"\x1b[{COLOURS.get(level, '0')}m{label}\x1b[0m"
            time_text = f"\x1b[2m{time_text}\x1b[0m"
            scope = scope and f"\x1b[36m{scope}\x1b[0m"
            fields = fields and f"\x1b[2m{fields}\x1b[0m"
        parts = [time_text, label, *([scope] if scope else []), text, *([" " + fields] if fields else [])]
        return f"{' '.join(parts)}\n{block}"

    def __call__(self, event: Event) -> str:
        """Render an event of structlog."""
        level = str(event.pop("level", "info"))
        text = plain(event.pop("event", ""))
        block = "\n".join(str(event.pop(key)) for key in ("stack", "exception") if event.get(key))
        scope = plain(event.get("scope", ""))
        if scope:
            for key in IN_PREFIX:
                event.pop(key, None)
        logger = event.pop("logger", None)
        if logger:
            scope = f"{scope} {plain(logger)}:" if scope else f"{plain(logger)}:"
        fields = " ".join(f"{plain(key)}={_shown(value)}" for key, value in event.items())
        indented = "".join(f"    {printable(line)}\n" for line in block.splitlines())
        return self.line(level, scope, text, fields, indented)


def _shown(value: object) -> str:
    text = plain(value)
    return (
        json.dumps(text, ensure_ascii=False) if isinstance(value, str) and (" " in text or not text) else text
    )
