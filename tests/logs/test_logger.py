"""Module loggers carry the job that runs, whatever structlog configuration is active."""

from __future__ import annotations

import structlog
from structlog.testing import capture_logs

from corral.logs import enter_job, get_logger, leave_job


def test_lines_carry_the_running_job() -> None:
    """A line logged in a job has its fields, one logged outside has the logger's name only."""
    log = get_logger("jobs:email")
    token = enter_job("email.welcome", "7", 1)
    with capture_logs() as lines:
        log.info("sent", to=3)
        leave_job(token)
        log.warning("idle")
    assert lines == [
        {
            "event": "sent",
            "log_level": "info",
            "logger": "jobs:email",
            "scope": "[worker][email.welcome:7]",
            "jobName": "email.welcome",
            "jobId": "7",
            "attempt": 1,
            "to": 3,
        },
        {"event": "idle", "log_level": "warning", "logger": "jobs:email"},
    ]


def test_bound_fields_stay() -> None:
    """`bind` gives a logger whose lines carry more, and leaves the first as it was."""
    log = get_logger("a")
    with capture_logs() as lines:
        log.bind(user=1).bind(shop=2).debug("x")
        log.debug("y")
    assert lines[0] == {"event": "x", "log_level": "debug", "logger": "a", "user": 1, "shop": 2}
    assert lines[1] == {"event": "y", "log_level": "debug", "logger": "a"}


def test_every_level_and_exceptions() -> None:
    """Each method logs at its level; `exception` adds the one being handled."""
    log = get_logger("a")
    with capture_logs() as lines:
        for method in (log.debug, log.info, log.warning, log.error, log.critical, log.exception):
            method("x")
    assert [line["log_level"] for line in lines] == ["debug", "info", "warning", "error", "critical", "error"]
    assert lines[-1]["exc_info"] is True


def test_import_configures_nothing() -> None:
    """A program that only uses Corral keeps its own structlog configuration."""
    assert not structlog.is_configured()
