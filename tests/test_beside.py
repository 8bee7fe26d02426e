"""Processes of a parallel run: a test that is `alone` has the machine to itself, and runs last."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

SUITE = """
import json, os, time
import pytest

def note(name):
    began = time.monotonic()
    time.sleep(0.02)
    with open("ran", "a") as file:
        file.write(json.dumps([name, began, time.monotonic(), os.getpid()]) + "\\n")

@pytest.mark.alone
@pytest.mark.parametrize("number", range(6))
def test_alone(number):
    note("alone")

@pytest.mark.parametrize("number", range(40))
def test_with_others(number):
    note("with others")
"""
CONFTEST = "from tests.beside import keep_apart as pytest_configure\n"
INI = "[pytest]\nmarkers = alone: has the machine\npythonpath = {root}\n"


def test_nothing_runs_beside_a_test_that_is_alone(tmp_path: Path) -> None:
    """In several processes, tests overlap; one marked `alone` overlaps with none, and all are run once."""
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "pytest.ini").write_text(INI.format(root=Path(__file__).parents[1]))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-n",
        "3",
        "--dist",
        "worksteal",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    ran = sorted(
        (json.loads(line) for line in (tmp_path / "ran").read_text().splitlines()), key=lambda each: each[1]
    )
    assert [name for name, *_ in ran].count("alone") == 6
    assert len(ran) == 46
    assert len({process for *_, process in ran}) == 3
    overlaps = [(one, other) for one, other in pairwise(ran) if other[1] < one[2]]
    assert overlaps
    assert not [pair for pair in overlaps for each in pair if each[0] == "alone"]
