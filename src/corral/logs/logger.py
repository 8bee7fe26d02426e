"""Module loggers for handlers and for Corral itself."""

from __future__ import annotations

from typing import Any

import structlog

from corral.logs.scope import job_fields


class Logger:
    """A named structlog logger whose lines carry the fields of the job that runs.

    It goes by whatever structlog configuration is active when a line is logged, the user's own included.
    """

    __slots__ = ("_fields", "_logger")

    def __init__(self, name: str, fields: dict[str, Any] | None = None) -> None:
        self._fields = {"logger": name} if fields is None else fields
        self._logger: Any = structlog.get_logger()

    def bind(self, **fields: Any) -> Logger:
        """Return a logger whose lines carry these fields too."""
        return Logger("", {**self._fields, **fields})

    def debug(self, event: str, /, *args: Any, **fields: Any) -> None:
        """Log at level debug."""
        self._logger.debug(event, *args, **self._merged(fields))

    def info(self, event: str, /, *args: Any, **fields: Any) -> None:
        """Log at level info."""
        self._logger.info(event, *args, **self._merged(fields))

    def warning(self, event: str, /, *args: Any, **fields: Any) -> None:
        """Log at level warning."""
        self._logger.warning(event, *args, **self._merged(fields))

    def error(self, event: str, /, *args: Any, **fields: Any) -> None:
        """Log at level error."""
        self._logger.error(event, *args, **self._merged(fields))

    def critical(self, event: str, /, *args: Any, **fields: Any) -> None:
        """Log at level critical."""
        self._logger.critical(event, *args, **self._merged(fields))

    def exception(self, event: str, /, *args: Any, **fields: Any) -> None:
        """Log at level error, with the exception that is being handled."""
        self._logger.error(event, *args, **self._merged({"exc_info": True, **fields}))

    def _merged(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {**self._fields, **job_fields(), **fields}


def get_logger(name: str) -> Logger:
    """Return the logger of this name, `jobs:email` for example."""
    return Logger(name)
