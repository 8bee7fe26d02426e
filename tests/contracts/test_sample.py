"""Samples: written and read again, and the percentiles in them."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.sample import Sample, percentile
from corral.contracts.states import JobState

AT = datetime(2026, 11, 28, 2, 47, tzinfo=UTC)
numbers = st.integers(0, 2**53)


@given(
    st.dictionaries(st.sampled_from([state for state in JobState if state != "unknown"]), numbers), numbers
)
def test_a_sample_is_read_as_it_was_written(counts: dict[JobState, int], number: int) -> None:
    """What is left out of the counts is 0; times that nobody knows stay None."""
    sample = Sample(at=AT, counts=counts, completed=number, failed=0, run_p50=number, oldest_waiting=None)
    read = Sample.decode(int(AT.timestamp() * 1000), sample.encode())
    assert {state: count for state, count in read.counts.items() if state in counts} == counts
    assert (read.at, read.completed, read.run_p50, read.run_p95, read.oldest_waiting) == (
        AT,
        number,
        number,
        None,
        None,
    )


@given(st.lists(numbers, min_size=1), st.floats(0, 1))
def test_a_percentile_is_one_of_the_values(values: list[int], part: float) -> None:
    """At least that part of the values does not exceed it, and it is the smallest such."""
    found = percentile(values, part)
    assert found in values
    assert sum(value <= found for value in values) >= part * len(values)
    assert part == 0 or sum(value < found for value in values) < part * len(values)


def test_of_nothing() -> None:
    """There is no percentile of no values."""
    assert percentile([], 0.5) is None
    assert percentile([1, 2, 3, 4], 0.5) == 2
    assert percentile([1, 2, 3, 4], 0.95) == 4
