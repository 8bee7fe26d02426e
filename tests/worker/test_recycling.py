"""When a worker has served long enough."""

from __future__ import annotations

import pytest

from corral.errors import InvalidOption
from corral.worker.recycling import Recycling


def test_without_limits_never() -> None:
    """A worker without limits serves for ever."""
    recycling = Recycling()
    assert not any(recycling.due_after_job() for _ in range(1000))
    assert recycling.jobs_ended == 1000


def test_after_so_many_jobs() -> None:
    """`max_jobs=3` is over with the third job."""
    recycling = Recycling(max_jobs=3)
    assert [recycling.due_after_job() for _ in range(3)] == [False, False, True]


def test_above_so_much_memory() -> None:
    """`max_memory` is over at the first look that finds more: here, more than a byte and less than a terabyte."""
    assert Recycling(max_memory=1).due_after_job()
    assert not Recycling(max_memory=2**40).due_after_job()


def test_limits_over_others() -> None:
    """Limits of the command line go over those of the code, each by itself; the count begins anew."""
    recycling = Recycling(max_jobs=1)
    recycling.due_after_job()
    changed = recycling.over(None, 2**40).over(2, None)
    assert [changed.due_after_job() for _ in range(2)] == [False, True]


@pytest.mark.parametrize("limits", [{"max_jobs": 0}, {"max_memory": -1}])
def test_limits_are_positive(limits: dict[str, int]) -> None:
    """Limits below 1 are refused by name."""
    with pytest.raises(InvalidOption, match=next(iter(limits))):
        Recycling(**limits)
