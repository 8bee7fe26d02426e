"""Configure logging for a program that is a Corral worker."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import subprocess
import sys
from typing import Any

import pytest
import structlog

from corral.errors import InvalidOption
from corral.logs import configure, enter_job, flush, get_logger, leave_job
from corral.logs.setup import child_settings


def lines_of(out: io.StringIO) -> list[dict[str, Any]]:
    """The JSON lines written so far."""
    flush()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_json_where_no_terminal_is(out: io.StringIO) -> None:
    """To a file or pipe each line is JSON, from the level info on."""
    configure(stream=out)
    get_logger("jobs:email").info("sent", to=3)
    get_logger("jobs:email").debug("not this")
    (line,) = lines_of(out)
    assert (line["level"], line["logger"], line["event"], line["to"]) == ("info", "jobs:email", "sent", 3)


def test_pretty_on_a_terminal() -> None:
    """To a terminal lines are for people, in colours; NO_COLOR takes the colours away."""
    code = "from corral.logs import *; configure(); get_logger('a').info('hello')"
    shown = []
    for extra in ({}, {"NO_COLOR": "1"}):
        terminal, its_end = pty.openpty()
        subprocess.run([sys.executable, "-c", code], stdout=its_end, env={**os.environ, **extra}, check=True)
        os.close(its_end)
        shown.append(os.read(terminal, 4096))
        os.close(terminal)
    assert b"\x1b[32mINFO" in shown[0]
    assert b"INFO     a: hello" in shown[1]


def test_every_kind_of_logger_carries_the_job(out: io.StringIO) -> None:
    """Corral's loggers, structlog's own and the standard library's all come out, with the running job's fields."""
    configure(stream=out)
    token = enter_job("email.welcome", "7", 2)
    get_logger("mine").info("a")
    structlog.get_logger().info("b %s", "c")
    logging.getLogger("library").warning("d %s", "e")
    leave_job(token)
    lines = lines_of(out)
    assert [line["event"] for line in lines] == ["a", "b c", "d e"]
    assert {(line["scope"], line["jobName"], line["jobId"], line["attempt"]) for line in lines} == {
        ("[worker][email.welcome:7]", "email.welcome", "7", 2)
    }
    assert lines[2]["logger"] == "library"


def test_exceptions_are_shown(out: io.StringIO) -> None:
    """A logged exception comes with its traceback, from either kind of logger."""
    configure(stream=out)
    try:
        raise LookupError("gone")
    except LookupError:
        get_logger("a").exception("x")
        logging.getLogger("b").exception("y")
    assert ["LookupError: gone" in line["exception"] for line in lines_of(out)] == [True, True]


def test_the_level_is_for_all(out: io.StringIO) -> None:
    """The level silences structlog and the standard library alike."""
    configure(level="error", stream=out)
    get_logger("a").warning("no")
    logging.getLogger("b").warning("no")
    get_logger("a").error("yes")
    assert [line["event"] for line in lines_of(out)] == ["yes"]


def test_parts_of_libraries_are_not_listed(out: io.StringIO) -> None:
    """A worker's first lines are its own: what Alembic says of its plugins at each start is left out."""
    configure(stream=out)
    logging.getLogger("alembic.runtime.plugins").info("setup plugin alembic.autogenerate.tables")
    logging.getLogger("alembic.runtime.plugins").warning("a plugin is broken")
    logging.getLogger("alembic.runtime.migration").info("Running upgrade")
    assert [line["event"] for line in lines_of(out)] == ["a plugin is broken", "Running upgrade"]
    configure(level="error", stream=out)
    logging.getLogger("alembic.runtime.plugins").warning("a plugin is broken")
    assert len(lines_of(out)) == 2


def test_configuring_again_replaces(out: io.StringIO) -> None:
    """A second call moves all lines to the new place; none is doubled and none of the first is lost."""
    first = io.StringIO()
    configure(stream=first)
    get_logger("a").info("one")
    configure(stream=out)
    get_logger("a").info("two")
    logging.getLogger("b").warning("three")
    assert [line["event"] for line in lines_of(out)] == ["two", "three"]
    assert [json.loads(line)["event"] for line in first.getvalue().splitlines()] == ["one"]


def test_an_unknown_level_is_refused() -> None:
    """A misspelt level is an error, and nothing is configured."""
    with pytest.raises(InvalidOption, match="level='loud'"):
        configure(level="loud")
    assert child_settings() is None


def test_no_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon without standard output can log; its lines go nowhere."""
    monkeypatch.setattr(sys, "stdout", None)
    configure()
    get_logger("a").info("x")
    assert flush()


def test_children_are_told(out: io.StringIO) -> None:
    """A handler process logs as its worker does; where the program has its own logging, it is left alone."""
    assert child_settings() is None
    configure(level="debug", stream=out, pretty=True)
    assert child_settings() == (logging.DEBUG, True)
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    assert child_settings() is None


def test_lines_are_written_at_exit() -> None:
    """What was logged right before the end of the program is written."""
    code = "from corral.logs import *; configure(); get_logger('a').info('last words')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["event"] == "last words"
