"""What type checkers say about users' programs: nothing about correct ones, and each mistake on its own line.

``programs/`` is correct. In ``mistakes/`` every line with a mistake ends in ``# error: <which>``; both checkers
have to flag exactly those lines, mypy with --strict.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

THE_EIGHTEEN = {
    "misspelt task",
    "wrong payload",
    "payload missing",
    "wrong type of a field",
    "field missing",
    "misspelt option",
    "wrong type of an option",
    "client missing",
    "wrong result",
    "wrong element of a list",
    "missing handler",
    "handler with the wrong payload",
    "handler with the wrong result",
    "handler with the wrong arity",
    "bare sync function",
    "wrong payload inside InThread",
    "misspelt handler",
    "a class instead of an instance",
}
"""The mistakes that the design promises to find."""


class Line(NamedTuple):
    """A line of a file."""

    file: str
    number: int


def expected() -> Iterator[tuple[Line, str]]:
    """Yield each line with a mistake, and which mistake it is."""
    for path in sorted((HERE / "mistakes").glob("*.py")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if found := re.search(r"# error: (.+)$", line):
                yield Line(f"mistakes/{path.name}", number), found[1]


def run(*arguments: str) -> str:
    """Run a checker of this environment and return what it prints."""
    environment = {**os.environ, "MYPYPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "NO_COLOR": "1"}
    process = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode in {0, 1}, process.stdout + process.stderr
    return process.stdout


def flagged_by_mypy() -> dict[Line, str]:
    """Return the lines that ``mypy --strict`` flags, each with a message."""
    output = run(
        "mypy", "--strict", "--config-file=", "--python-version=3.11", "--explicit-package-bases", "--no-error-summary",
        "--follow-imports=silent", str(HERE / "programs"), str(HERE / "mistakes"),
    )  # fmt: skip
    errors = re.finditer(r"^tests/typing/(.+?\.py):(\d+): error: (.+)$", output, re.MULTILINE)
    return {Line(error[1], int(error[2])): error[3] for error in errors}


def flagged_by_pyright() -> dict[Line, str]:
    """Return the lines that pyright flags, each with a message."""
    configuration = str(HERE / "pyrightconfig.json")
    report = json.loads(
        run("pyright", "--project", configuration, "--pythonpath", sys.executable, "--outputjson")
    )
    assert report["summary"]["filesAnalyzed"] >= 7
    return {
        Line(
            Path(problem["file"]).relative_to(HERE).as_posix(), problem["range"]["start"]["line"] + 1
        ): problem["message"]
        for problem in report["generalDiagnostics"]
    }


def test_the_mistakes_include_the_eighteen() -> None:
    """Each of the eighteen mistakes that the design lists is among the samples."""
    assert THE_EIGHTEEN.issubset(mistake for _, mistake in expected())


@pytest.mark.parametrize("check", [flagged_by_mypy, flagged_by_pyright])
def test_mistakes_and_nothing_else_are_flagged(check: Callable[[], dict[Line, str]]) -> None:
    """Both checkers flag every line with a mistake, no other line, and nothing in correct programs."""
    found = check()
    mistakes = dict(expected())
    assert {line: mistake for line, mistake in mistakes.items() if line not in found} == {}, "not found"
    assert {line: message for line, message in found.items() if line not in mistakes} == {}, "false alarms"
