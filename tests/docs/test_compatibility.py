"""The page of compatibility is the table of conformance: its rows, and a test or a reason for every cell."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT
from tests.interop.conformance.page import PAGE, problems, render
from tests.interop.conformance.recorder import Outcomes, read


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """The tests that there are for each cell; none of them is run here."""
    path: Path = tmp_path_factory.mktemp("conformance") / "collected.json"
    collect = ["--collect-only", "-q", "-p", "no:cacheprovider", f"--conformance={path}", "tests/interop"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *collect], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return read(path)


def test_every_empty_cell_has_its_reason_and_no_other(registered: Outcomes) -> None:
    """A cell without a test says why, and one with a test has no excuse left over."""
    assert problems(registered) == []


def test_the_page_says_what_the_tests_are(registered: Outcomes) -> None:
    """`docs/compatibility.md` has exactly the registered rows and cells (`make compatibility` writes it)."""
    assert PAGE.read_text(encoding="utf-8") == render(registered)
