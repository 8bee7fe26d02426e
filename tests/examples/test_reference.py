"""The suite of the reference application once more, on PostgreSQL: as a team runs it, with a variable."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.house.source import ROOT
from tests.postgres import PostgresServer

SECONDS = 600


@pytest.mark.postgres
def test_its_suite_on_postgres() -> None:
    """All of it holds there too, each test in a database of its own."""
    with PostgresServer() as server:
        result = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "examples/reference/tests"],
            cwd=ROOT,
            env={**os.environ, "TEST_DATABASE_URL": server.url("postgres")},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert result.returncode == 0, result.stdout[-4000:]
