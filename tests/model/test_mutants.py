"""The machine finds mistakes: every one of the seeded ones, within its budget."""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings
from hypothesis.errors import HypothesisException
from hypothesis.stateful import run_state_machine_as_test

from tests.model.bench import Bench
from tests.model.machine import BUDGET, QueueMachine
from tests.model.mutants import MUTANTS, Mutant

# Which mistake it was is known: no shrinking.
HUNT = settings(BUDGET, max_examples=400, phases=[Phase.generate], report_multiple_bugs=False)


@pytest.mark.faults
@pytest.mark.parametrize("planted", MUTANTS, ids=lambda mutant: mutant.name, indirect=True)
def test_the_machine_finds(planted: Mutant, bench: Bench) -> None:
    """With this mistake in the scripts the machine fails."""

    class Machine(QueueMachine):
        pass

    Machine.bench = bench
    try:
        run_state_machine_as_test(Machine, settings=HUNT)
    except HypothesisException:
        raise  # the machine itself is at fault
    except Exception:
        return
    pytest.fail(f"the mistake in {planted.file} was not found: {planted.means}")


def test_the_mistakes_differ() -> None:
    """No mistake is listed twice, and there are enough of them to mean something."""
    assert len({(mutant.file, mutant.old) for mutant in MUTANTS}) == len(MUTANTS) >= 25
