"""The queue behaves as its model, whatever producers and workers do, in whatever order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.bench import Bench
from tests.model.machine import QueueMachine

BUDGET = settings(
    max_examples=100,
    stateful_step_count=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def bench(redis_url: str, prefix: str) -> Iterator[Bench]:
    """The run's server."""
    bench = Bench(redis_url, prefix)
    yield bench
    bench.close()


def test_the_queue_is_as_its_model(bench: Bench) -> None:
    """After every call of any order of calls the server holds what the model holds, to the last key and event."""

    class Machine(QueueMachine):
        pass

    Machine.bench = bench
    run_state_machine_as_test(Machine, settings=BUDGET)
