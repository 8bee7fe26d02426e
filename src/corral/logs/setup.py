"""Configure logging for a program that is a Corral worker."""

from __future__ import annotations

import atexit
import contextlib
import io
import logging
import os
import sys
from dataclasses import dataclass
from typing import IO, Any, Final, TypeAlias

import structlog

from corral.logs.level import level_from_environment, level_number
from corral.logs.render import Event, PrettyLines, json_line
from corral.logs.scope import job_fields
from corral.logs.writer import LINGER, LineWriter

TALKATIVE: Final = ("alembic.runtime.plugins",)
"""Loggers that list the parts of a library at each start."""

EXIT_FLUSH = 1.0
"""Seconds that the end of the program waits for a slow log."""


@dataclass(frozen=True, slots=True)
class Active:
    """What `configure` set up."""

    level: int
    writer: LineWriter
    lines: PrettyLines | None
    """None for JSON."""

    def render(self, event: Event) -> str:
        """One event as a line."""
        return json_line(event) if self.lines is None else self.lines(event)

    def render_last(self, _logger: object, _method: str, event: Event) -> str:
        """The last processor of structlog's chain."""
        return self.render(event)

    def in_force(self) -> bool:
        """Whether structlog is still as `configure` left it; the program may have its own ideas later."""
        processors = structlog.get_config()["processors"]
        return bool(processors) and processors[-1] == self.render_last


ChildSettings: TypeAlias = tuple[int, bool]
"""Level and whether lines are pretty: what a handler process is told, so that it logs as its worker does."""

_active: Active | None = None


def active() -> Active | None:
    """What `configure` set up, None before it was called."""
    return _active


def configure(level: str | None = None, stream: IO[str] | None = None, pretty: bool | None = None) -> None:
    """Send structlog's and the standard library's log lines to `stream`, through a queue that never blocks.

    `level` defaults to CORRAL_LOG_LEVEL, else info; `stream` to standard output; `pretty`, lines for people
    and not JSON, to whether the stream is a terminal. Raises InvalidOption for a level that does not exist.
    """
    _configure(level_from_environment() if level is None else level_number(level), stream, pretty)


def child_settings() -> ChildSettings | None:
    """What a child process needs to log as this one does; None where `configure` is not in force."""
    return (_active.level, _active.lines is not None) if _active and _active.in_force() else None


def configure_child(settings: ChildSettings | None) -> None:
    """Log to standard output as the parent does."""
    if settings:
        level, pretty = settings
        # No linger: this process may be killed or crash, and its last lines say why.
        _configure(level, None, pretty, linger=0.0)


def _configure(number: int, stream: IO[str] | None, pretty: bool | None, linger: float = LINGER) -> None:
    global _active
    target = stream or sys.stdout or io.StringIO()  # there is no standard output in some daemons
    terminal = _is_terminal(target)
    lines = (
        PrettyLines(colours=terminal and "NO_COLOR" not in os.environ)
        if (terminal if pretty is None else pretty)
        else None
    )
    flush()
    if _active is None:
        atexit.register(flush)
    writer = LineWriter(target, lambda count: new.render(_dropped_event(count)), linger)
    new = _active = Active(number, writer, lines)
    _configure_structlog(new)
    _configure_standard_library(new)


def flush(timeout: float = EXIT_FLUSH) -> bool:
    """Wait until all lines are written; False when they were not within `timeout` seconds."""
    return _active is None or _active.writer.flush(timeout)


def _dropped_event(count: int) -> Event:
    return {"level": "warning", "logger": "corral.logs", "event": f"{count} log lines dropped"}


def _is_terminal(stream: IO[str]) -> bool:
    with contextlib.suppress(ValueError, AttributeError):
        return stream.isatty()
    return False


def _add_job_fields(_logger: object, _method: str, event: Event) -> Event:
    for key, value in job_fields().items():
        event.setdefault(key, value)
    return event


def _configure_structlog(target: Active) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            _add_job_fields,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            target.render_last,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(target.level),
        logger_factory=lambda *_args: _QueueLogger(target.writer),
        cache_logger_on_first_use=False,
    )


class _QueueLogger:
    """What structlog calls last: every method takes a rendered line."""

    def __init__(self, writer: LineWriter) -> None:
        self._put = writer.put

    def msg(self, line: str) -> None:
        self._put(line)

    debug = info = warning = warn = error = critical = exception = fatal = log = msg


class _StandardLibraryHandler(logging.Handler):
    """Takes what libraries log through `logging`."""

    def __init__(self, target: Active) -> None:
        super().__init__()
        self._target = target

    def emit(self, record: logging.LogRecord) -> None:
        try:
            event: dict[str, Any] = {
                "level": record.levelname.lower(),
                "logger": record.name,
                "event": record.getMessage(),
                **job_fields(),
            }
            if record.exc_info:
                event["exception"] = logging.Formatter().formatException(record.exc_info)
            self._target.writer.put(self._target.render(event))
        except Exception:  # noqa: BLE001 (logging must not break the program)
            self.handleError(record)


def _configure_standard_library(target: Active) -> None:
    root = logging.getLogger()
    for handler in [each for each in root.handlers if isinstance(each, _StandardLibraryHandler)]:
        root.removeHandler(handler)
    root.addHandler(_StandardLibraryHandler(target))
    root.setLevel(target.level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(target.level, logging.WARNING))
