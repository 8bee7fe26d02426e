"""The bench of the machine, on the run's server, and scripts with a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from corral.engine import script
from tests.model.bench import Bench
from tests.model.mutants import Mutant, plant


@pytest.fixture
def bench(redis_url: str, prefix: str) -> Iterator[Bench]:
    """The run's server."""
    bench = Bench(redis_url, prefix)
    yield bench
    bench.close()


@pytest.fixture
def planted(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Mutant]:
    """Scripts with one mistake in them, for as long as the test takes."""
    mutant: Mutant = request.param
    folder = plant(mutant, tmp_path)
    monkeypatch.setattr(script, "files", lambda _package: folder)
    script.load.cache_clear()
    script._read.cache_clear()
    yield mutant
    script.load.cache_clear()
    script._read.cache_clear()
