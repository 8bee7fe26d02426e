"""The demo, as `make demo ARGS=--once` runs it: the reference application at work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

SOURCE = ROOT / "examples" / "reference" / "src"

LINES = (
    "Welcome mails",
    "Invited, and once more",
    "An order, charged until it is taken",
    "An order that is refused for good",
    "An order of more than there is",
    "A mail about each order",
    "A question, some time later",
    "The search, behind many changes",
    "Each change of an order",
    "A cron job, by hand",
    "Who did what",
)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start the demo with its files in a folder of the test's own."""
    return subprocess.Popen(
        [sys.executable, "-m", "examples.reference.demo", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "TMPDIR": str(folder),
            "COLUMNS": "150",
            "CORRAL_ENV": "test",
            "PYTHONPATH": str(SOURCE),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a short name: a unix socket will be in it."""
    return tmp_path_factory.mktemp("d")


def test_everything_arrives(folder: Path) -> None:
    """All of it arrives, exit code 0 says so, and nothing is left of it. CORRAL_ENV=test does not skip its worker."""
    demo = start(folder, "--once")
    output, _ = demo.communicate(timeout=180)
    assert demo.returncode == 0, output
    assert "All of it arrived" in output
    for line in LINES:
        assert f"✓  {line}" in output
    assert list(folder.iterdir()) == []


def test_an_interrupted_demo_takes_everything_along(folder: Path) -> None:
    """SIGTERM in the middle ends all processes and removes all files; as nothing was shown, the exit code is 130."""
    demo = start(folder)
    assert demo.stdout is not None
    assert any("job" in line for line in demo.stdout)
    demo.send_signal(signal.SIGTERM)
    output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 130, output
    assert list(folder.iterdir()) == []
