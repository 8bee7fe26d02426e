"""What an operator does leaves the same behind, whether BullMQ does it or Corral, also among running workers.

Every difference is meant, and listed with its reason here or in `intended.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from corral.admin.jobs import JobsAdmin
from tests.interop.controls import (
    ControlAll,
    CorralOperator,
    NodeOperator,
    OperatedPlayer,
    Step,
    draw_controls,
)
from tests.interop.intended import EVERYWHERE, KEPT, LATER, PLAIN, Intention
from tests.interop.operations import Add, Claim, Fail, LoseLock, StalledCheck
from tests.interop.play import Engines
from tests.interop.side_by_side import assert_same, assert_shown, rows

URGENT = Add("urgent", {}, {**KEPT, "priority": 2})
TOGETHER = [
    Intention(
        "priority of all",
        "BullMQ's verbs for all jobs of a state ignore their priorities; Corral honours them",
        ("wait*", "prioritized*", "pc*"),
        [URGENT, PLAIN, Claim(2), Fail(0, "a"), Fail(0, "b"), ControlAll("retry", "failed")],
    ),
    Intention(
        "delay of all",
        "BullMQ leaves the delay of jobs that it promotes together as it was; Corral sets it to 0, as promotion does",
        ("*.content.delay",),
        [LATER, ControlAll("promote", "delayed")],
    ),
]

Pair = tuple[OperatedPlayer, OperatedPlayer]


@pytest.fixture
def pair(engines: Engines, queue_name: str) -> Pair:
    """A player of each engine, with its operator."""
    theirs, ours = engines.players(queue_name)
    jobs = JobsAdmin(engines.client.server, queue_name)
    return OperatedPlayer(theirs, NodeOperator(theirs.operator)), OperatedPlayer(ours, CorralOperator(jobs))


def playable(steps: Sequence[Step]) -> list[Step]:
    """Steps without those that both engines take differently for other reasons: see `intended.py`."""
    return [step for step in steps if not isinstance(step, LoseLock | StalledCheck)]


@pytest.mark.parametrize("seed", range(300, 312))
async def test_an_operators_verbs_leave_the_same(seed: int, pair: Pair) -> None:
    """Retried, promoted, reprioritized, rescheduled, rewritten and logged by either, jobs are the same."""
    steps = playable(draw_controls(seed, 90, together=False))
    await assert_same(pair, steps, rows(EVERYWHERE), every=10)


@pytest.mark.parametrize("seed", range(400, 406))
async def test_verbs_for_all_leave_the_same(seed: int, pair: Pair) -> None:
    """All failed or completed jobs retried, all delayed ones promoted: the same jobs in the same order."""
    steps = playable(draw_controls(seed, 90, together=True))
    await assert_same(pair, steps, [*rows(EVERYWHERE), *rows(TOGETHER[1:])], every=10)


@pytest.mark.parametrize("intention", TOGETHER, ids=lambda intention: intention.name)
async def test_each_intended_difference_is_there(intention: Intention, pair: Pair) -> None:
    """A row of the table above describes what happens, and nothing else happens."""
    await assert_shown(pair, intention, rows(EVERYWHERE))
