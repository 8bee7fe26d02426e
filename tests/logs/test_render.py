"""How a line looks."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from corral.logs.render import PrettyLines, clock, json_line, plain, printable


class Hostile:
    """An object whose repr raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße 東京", "Grüße 東京"),
        ("a\nb\r", "a\\nb\\r"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eevil", "\\u202eevil"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
    ],
)
def test_nothing_reaches_the_terminal_raw(text: str, shown: str) -> None:
    """Control characters, escape sequences, direction marks and lone surrogates are written as escapes."""
    assert printable(text) == shown


def test_any_value_is_plain() -> None:
    """A value of any type becomes one line, also one whose repr raises."""
    assert plain([1, "a\n"]) == "[1, 'a\\n']"
    assert plain(Hostile()) == "<Hostile whose repr raises RuntimeError>"


def test_json_lines_begin_with_what_is_always_there() -> None:
    """A JSON line has timestamp, level, logger and event first, then the other fields, as one line."""
    line = json_line({"x": "a\nb", "event": "sent", "logger": "jobs:email", "level": "info"})
    assert line.endswith("}\n")
    assert line.count("\n") == 1
    found = json.loads(line)
    assert list(found) == ["timestamp", "level", "logger", "event", "x"]
    assert found["x"] == "a\nb"
    assert found["timestamp"].endswith("Z")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Hostile(), {1, 2}, b"x", {("a",): 1}])
def test_json_lines_are_strict_whatever_they_carry(value: Any) -> None:
    """Any field gives strict JSON; what JSON cannot express is shown as text."""

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    json.loads(json_line({"event": "x", "value": value}), parse_constant=refuse)


def test_a_field_that_contains_itself() -> None:
    """A circular value costs its structure, not the line."""
    circle: list[Any] = []
    circle.append(circle)
    assert json.loads(json_line({"event": "x", "value": circle}))["value"] == "[[...]]"


def test_pretty_lines_have_the_scope_in_front() -> None:
    """Level, scope, logger and text, then the other fields; the scope's own fields are not repeated."""
    event = {
        "level": "info",
        "event": "sent",
        "logger": "jobs:email",
        "scope": "[worker][email.welcome:7]",
        "jobName": "email.welcome",
        "jobId": "7",
        "attempt": 1,
        "to": "a b",
        "n": 2,
    }
    line = PrettyLines(colours=False)(event)
    assert line[12:] == ' INFO     [worker][email.welcome:7] jobs:email: sent  to="a b" n=2\n'


def test_pretty_blocks_are_indented() -> None:
    """A traceback or stack follows on lines of its own, which cannot pass for log lines."""
    line = PrettyLines(colours=False)(
        {"level": "error", "event": "x", "exception": "one\ntwo\x1b", "stack": "s"}
    )
    assert line[12:] == " ERROR    x\n    s\n    one\n    two\\x1b\n"


def test_colours_only_where_wanted() -> None:
    """Escape sequences are written for a terminal and for nothing else."""
    assert "\x1b[31mERROR" in PrettyLines(colours=True)({"level": "error", "event": "x"})
    assert "\x1b" not in PrettyLines(colours=False)({"level": "error", "event": "x"})


def test_the_clock_moves() -> None:
    """The time has milliseconds and follows its clock, within a second and over its end."""
    times = iter([0.0, 0.0014, 0.9999, 1.5])
    read = clock("%H:%M:%S", time.gmtime, lambda: next(times))
    assert [read() for _ in range(4)] == ["00:00:00.000", "00:00:00.001", "00:00:00.999", "00:00:01.500"]
