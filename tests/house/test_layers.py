"""Imports point down only, those for type checkers included."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT, SRC

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint(folder: Path, source: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with the settings of `folder` over the package in `source`."""
    return subprocess.run(
        [str(LINT_IMPORTS), "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(source)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and its settings, to be spoilt."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(SRC, tmp_path / "src" / "corral", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_imports_point_down() -> None:
    """The package keeps every contract of `pyproject.toml`."""
    result = lint(ROOT, SRC.parent)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("module", "line"),
    [
        (
            "errors/root.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import corral.contracts",
        ),
        ("embedded/program.py", "import corral.engine"),
        ("contracts/states.py", "import socket"),
        ("contracts/states.py", "import redis"),
        ("utils.py", "a_dumping_ground = True"),
    ],
    ids=["type-only import upwards", "import upwards", "I/O in contracts", "Redis outside", "new package"],
)
def test_a_wrong_import_is_found(copy: Path, module: str, line: str) -> None:
    """Each kind of forbidden import, and a new top-level module in no layer, turns the check red."""
    with (copy / "src" / "corral" / module).open("a") as file:
        file.write(f"\n{line}\n")
    assert lint(copy, copy / "src").returncode == 1
