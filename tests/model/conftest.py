"""The bench of the machine, on the run's server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.bench import Bench


@pytest.fixture
def bench(redis_url: str, prefix: str) -> Iterator[Bench]:
    """The run's server."""
    bench = Bench(redis_url, prefix)
    yield bench
    bench.close()
