"""The queue behaves as its model, whatever producers and workers do, in whatever order."""

from __future__ import annotations

from hypothesis.stateful import run_state_machine_as_test

from tests.model.bench import Bench
from tests.model.machine import BUDGET, QueueMachine


def test_the_queue_is_as_its_model(bench: Bench) -> None:
    """After every call of any order of calls the server holds what the model holds, to the last key and event."""

    class Machine(QueueMachine):
        pass

    Machine.bench = bench
    run_state_machine_as_test(Machine, settings=BUDGET)
