"""The lines that tell a job's life: `Processing job`, `Job completed`, `Job failed`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache
from json.encoder import encode_basestring_ascii as json_text
from typing import Any, Protocol, TypeAlias

from corral.logs import setup
from corral.logs.level import level_from_environment
from corral.logs.logger import get_logger
from corral.logs.render import PrettyLines, plain, printable, utc_clock
from corral.logs.scope import scope_text
from corral.logs.writer import LineWriter

LOGGER = "worker"

Mask: TypeAlias = Callable[[str], str]
"""Gives a text without the secrets in it: what a handler raised may quote anything."""


class LifecycleLog(Protocol):
    """Writes the lifecycle lines. A worker asks for one when it starts and calls it for every job."""

    info: bool
    """False when nothing below an error is logged: then `processing` and `completed` need not be called."""

    def processing(self, name: str, job_id: str, attempt: int) -> None:
        """INFO `Processing job` {jobName, jobId, attempt}."""

    def completed(self, name: str, job_id: str) -> None:
        """INFO `Job completed` {jobName, jobId}."""

    def failed(self, name: str, job_id: str, attempts_made: int, err: str, stack: str = "") -> None:
        """ERROR `Job failed` {jobName, jobId, attemptsMade, err}. `stack` is shown to people only."""


class JsonLifecycleLog:
    """Lifecycle lines as JSON, written by hand: two lines per job have to cost next to nothing."""

    def __init__(self, writer: LineWriter, level: int, mask: Mask) -> None:
        self._put = writer.put
        self._mask = mask
        self.info = level <= logging.INFO
        self._error = level <= logging.ERROR

    def processing(self, name: str, job_id: str, attempt: int) -> None:
        if self.info:
            job = json_text(job_id)
            text, scope = _json_task(name)
            self._put(
                f'{{"timestamp":"{utc_clock()}Z","level":"info","logger":"worker","event":"Processing job",'
                f'"scope":"[worker][{scope}:{job[1:-1]}]","jobName":{text},"jobId":{job},"attempt":{attempt}}}\n'
            )

    def completed(self, name: str, job_id: str) -> None:
        if self.info:
            job = json_text(job_id)
            text, scope = _json_task(name)
            self._put(
                f'{{"timestamp":"{utc_clock()}Z","level":"info","logger":"worker","event":"Job completed",'
                f'"scope":"[worker][{scope}:{job[1:-1]}]","jobName":{text},"jobId":{job}}}\n'
            )

    def failed(self, name: str, job_id: str, attempts_made: int, err: str, stack: str = "") -> None:
        if self._error:
            job = json_text(job_id)
            text, scope = _json_task(name)
            self._put(
                f'{{"timestamp":"{utc_clock()}Z","level":"error","logger":"worker","event":"Job failed",'
                f'"scope":"[worker][{scope}:{job[1:-1]}]","jobName":{text},"jobId":{job},'
                f'"attemptsMade":{attempts_made},"err":{json_text(self._mask(err))}}}\n'
            )


@lru_cache(1024)
def _json_task(name: str) -> tuple[str, str]:
    text = json_text(name)
    return text, text[1:-1]


class PrettyLifecycleLog:
    """Lifecycle lines for people."""

    def __init__(self, writer: LineWriter, level: int, lines: PrettyLines, mask: Mask) -> None:
        self._put = writer.put
        self._mask = mask
        self._line = lines.line
        self.info = level <= logging.INFO
        self._error = level <= logging.ERROR

    def processing(self, name: str, job_id: str, attempt: int) -> None:
        if self.info:
            name, job_id = printable(name), printable(job_id)
            fields = f"jobName={name} jobId={job_id} attempt={attempt}"
            self._put(self._line("info", scope_text(name, job_id), "Processing job", fields))

    def completed(self, name: str, job_id: str) -> None:
        if self.info:
            name, job_id = printable(name), printable(job_id)
            self._put(
                self._line(
                    "info", scope_text(name, job_id), "Job completed", f"jobName={name} jobId={job_id}"
                )
            )

    def failed(self, name: str, job_id: str, attempts_made: int, err: str, stack: str = "") -> None:
        if self._error:
            name, job_id = printable(name), printable(job_id)
            fields = (
                f"jobName={name} jobId={job_id} attemptsMade={attempts_made} err={plain(self._mask(err))}"
            )
            block = "".join(f"    {printable(line)}\n" for line in self._mask(stack).splitlines())
            self._put(self._line("error", scope_text(name, job_id), "Job failed", fields, block))


class StructlogLifecycleLog:
    """Lifecycle lines through the program's own structlog configuration."""

    def __init__(self, level: int, mask: Mask) -> None:
        self._mask = mask
        self._logger: Any = get_logger(LOGGER)
        self.info = level <= logging.INFO
        self._error = level <= logging.ERROR

    def processing(self, name: str, job_id: str, attempt: int) -> None:
        if self.info:
            scope = scope_text(name, job_id)
            self._logger.info("Processing job", scope=scope, jobName=name, jobId=job_id, attempt=attempt)

    def completed(self, name: str, job_id: str) -> None:
        if self.info:
            self._logger.info("Job completed", scope=scope_text(name, job_id), jobName=name, jobId=job_id)

    def failed(self, name: str, job_id: str, attempts_made: int, err: str, stack: str = "") -> None:
        if self._error:
            scope = scope_text(name, job_id)
            self._logger.error(
                "Job failed", scope=scope, jobName=name, jobId=job_id, attemptsMade=attempts_made,
                err=self._mask(err),
            )  # fmt: skip


def lifecycle_log(mask: Mask = str) -> LifecycleLog:
    """Return the lifecycle log that fits the logging in force now. Errors go through ``mask`` into its lines.

    After `configure`: the fast one. Otherwise lines go through structlog as the program has configured it,
    from the level that CORRAL_LOG_LEVEL names on (default info).
    """
    active = setup.active()
    if active is None or not active.in_force():
        return StructlogLifecycleLog(level_from_environment(), mask)
    if active.lines is None:
        return JsonLifecycleLog(active.writer, active.level, mask)
    return PrettyLifecycleLog(active.writer, active.level, active.lines, mask)
