"""The lines that tell a job's life, as `features.md` has them: message, level, fields and scope."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from corral.logs import LifecycleLog, configure, flush, lifecycle_log

SCOPE = "[worker][email.welcome:7]"
FIRST = {"logger": "worker", "scope": SCOPE, "jobName": "email.welcome", "jobId": "7"}


def tell(log: LifecycleLog) -> None:
    """The life of one job."""
    log.processing("email.welcome", "7", 2)
    log.completed("email.welcome", "7")
    log.failed("email.welcome", "7", 2, "no such address", "Traceback\n  line")


def lines_of(out: io.StringIO) -> list[dict[str, Any]]:
    """The JSON lines, without their time."""
    flush()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    for line in lines:
        assert line.pop("timestamp")
    return lines


def test_as_json(out: io.StringIO) -> None:
    """Where no terminal is, each line is JSON with the fields, and no others."""
    configure(stream=out)
    tell(lifecycle_log())
    assert lines_of(out) == [
        {"level": "info", "event": "Processing job", **FIRST, "attempt": 2},
        {"level": "info", "event": "Job completed", **FIRST},
        {"level": "error", "event": "Job failed", **FIRST, "attemptsMade": 2, "err": "no such address"},
    ]


def test_for_people(out: io.StringIO) -> None:
    """On a terminal the scope stands in front, the fields behind, and a failure shows where it was raised."""
    configure(stream=out, pretty=True)
    tell(lifecycle_log())
    flush()
    lines = out.getvalue().splitlines()
    assert lines[3:] == ["    Traceback", "      line"]
    assert [line[12:] for line in lines[:3]] == [
        f" INFO     {SCOPE} Processing job  jobName=email.welcome jobId=7 attempt=2",
        f" INFO     {SCOPE} Job completed  jobName=email.welcome jobId=7",
        f" ERROR    {SCOPE} Job failed  jobName=email.welcome jobId=7 attemptsMade=2 err=no such address",
    ]


def test_through_the_programs_own_structlog() -> None:
    """Where the program has a structlog configuration of its own, the lines go there, with the same fields."""
    with capture_logs() as lines:
        tell(lifecycle_log())
    assert lines == [
        {"log_level": "info", "event": "Processing job", **FIRST, "attempt": 2},
        {"log_level": "info", "event": "Job completed", **FIRST},
        {"log_level": "error", "event": "Job failed", **FIRST, "attemptsMade": 2, "err": "no such address"},
    ]


@pytest.mark.parametrize("pretty", [False, True])
def test_errors_are_masked(out: io.StringIO, pretty: bool) -> None:
    """What an error says, and its traceback, are written as the worker's mask gives them, into every kind of log."""
    configure(stream=out, pretty=pretty)
    lifecycle_log(lambda text: text.replace("hunter2", "•••")).failed("a", "1", 1, "no hunter2", "at hunter2")
    flush()
    assert "no " in out.getvalue()
    assert "hunter2" not in out.getvalue()
    structlog.reset_defaults()
    with capture_logs() as lines:
        lifecycle_log(str.upper).failed("a", "1", 1, "no")
    assert lines[0]["err"] == "NO"


def test_a_later_configuration_of_the_program_wins(out: io.StringIO) -> None:
    """A program that configures structlog after Corral did gets the lifecycle lines its way."""
    configure(stream=out)
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    with capture_logs() as lines:
        lifecycle_log().completed("a", "1")
    assert lines[0]["event"] == "Job completed"
    assert lines_of(out) == []


@pytest.mark.parametrize(("level", "events"), [("warning", ["Job failed"]), ("critical", [])])
@pytest.mark.parametrize("pretty", [False, True])
def test_levels(out: io.StringIO, level: str, events: list[str], pretty: bool) -> None:
    """Above info nothing but failures is logged, and `info` says so beforehand."""
    configure(level=level, stream=out, pretty=pretty)
    log = lifecycle_log()
    assert log.info is False
    tell(log)
    flush()
    assert [
        event for event in ("Processing job", "Job completed", "Job failed") if event in out.getvalue()
    ] == events


def test_the_level_holds_without_configure(monkeypatch: pytest.MonkeyPatch) -> None:
    """CORRAL_LOG_LEVEL silences the lifecycle also in a program with its own logging."""
    monkeypatch.setenv("CORRAL_LOG_LEVEL", "warning")
    with capture_logs() as lines:
        tell(lifecycle_log())
    assert [line["event"] for line in lines] == ["Job failed"]


HOSTILE = 'a"}\n{"level":"info"\x1b[2J\u202e'


def test_hostile_names_forge_nothing_in_json(out: io.StringIO) -> None:
    """Names, ids and messages come from strangers: they stay inside their JSON strings."""
    configure(stream=out)
    log = lifecycle_log()
    log.processing(HOSTILE, HOSTILE, 1)
    log.failed(HOSTILE, HOSTILE, 1, HOSTILE)
    lines = lines_of(out)
    assert [line["event"] for line in lines] == ["Processing job", "Job failed"]
    assert all(line["jobName"] == line["jobId"] == HOSTILE for line in lines)
    assert lines[1]["err"] == HOSTILE
    assert out.getvalue().isascii()


def test_hostile_names_forge_nothing_on_a_terminal(out: io.StringIO) -> None:
    """On a terminal they cannot begin a line, clear the screen or reverse the text."""
    configure(stream=out, pretty=True)
    log = lifecycle_log()
    log.processing(HOSTILE, HOSTILE, 1)
    log.failed(HOSTILE, HOSTILE, 1, HOSTILE, HOSTILE)
    flush()
    text = out.getvalue()
    assert text.replace("\n", "").isprintable()
    assert sum(not line.startswith("    ") for line in text.splitlines()) == 2
