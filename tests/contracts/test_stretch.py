"""Stretches: samples put together, in time and over queues."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.sample import Sample
from corral.contracts.states import JobState
from corral.contracts.stretch import Stretch, in_stretches, put_together, side_by_side, stretches_in

numbers = st.integers(0, 10**6)
times = st.none() | numbers
stretches = st.builds(
    Stretch, st.tuples(*[numbers] * 7), numbers, numbers, numbers, times, times, times, times, times,
    st.integers(1, 60),
)  # fmt: skip


def text_of(stretch: Stretch) -> bytes:
    """As it is kept."""
    return stretch.encode().encode()


def test_a_sample_is_a_stretch() -> None:
    """What a sample keeps is read as a stretch of one minute."""
    sample = Sample(
        at=datetime.fromtimestamp(60, UTC), counts={JobState.WAITING: 3, JobState.PRIORITIZED: 4}, completed=5,
        failed=6, measured=7, wait_p50=8, wait_p95=9, run_p50=10, run_p95=11, oldest_waiting=12,
    )  # fmt: skip
    (stretch,) = stretches_in([sample.encode().encode()])
    assert stretch[1:] == (5, 6, 7, 8, 9, 10, 11, 12, 1)
    assert stretch.count(JobState.WAITING, JobState.PRIORITIZED) == 7
    assert stretch.ended == 11


@given(st.lists(stretches, min_size=1, max_size=8))
def test_a_stretch_is_read_as_it_was_written(some: list[Stretch]) -> None:
    """All of them, in their order; what another program has written between them is left out."""
    texts = [text_of(stretch) for stretch in some]
    assert stretches_in(texts) == some
    assert stretches_in([b"hostile", *texts, b"[1]", b"][", b""]) == some


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3), st.lists, max_leaves=12
)
anything = json_values | st.tuples(
    st.lists(json_values, max_size=9), *[json_values | numbers] * 8, json_values | st.integers(0, 2)
)


@given(st.lists(anything, max_size=6))
def test_what_is_no_stretch_is_left_out(some: list[object]) -> None:
    """Whatever stands among the samples, also what a worker that knows more states has written, can be put together."""
    texts = [json.dumps(one).encode() for one in some]
    parts = stretches_in(texts)
    assert all(len(part.counts) == 7 and part.minutes >= 1 for part in parts)
    if parts:
        assert put_together(parts).minutes == sum(part.minutes for part in parts)
        side_by_side(parts)


def test_states_come_and_go() -> None:
    """A sample of a worker that knows more states, or fewer, counts for those that are known here."""
    more = stretches_in([b"[[1,2,3,4,5,6,7,8],1,1,1,null,null,null,null,null]"])
    fewer = stretches_in([b"[[1,2,3],1,1,1,null,null,null,null,null]"])
    assert [list(part.counts) for part in (*more, *fewer)] == [[1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 0, 0, 0, 0]]
    assert put_together([*more, *fewer]).completed == 2


@given(st.lists(stretches, min_size=2, max_size=6), st.data())
def test_putting_together_in_steps(parts: list[Stretch], data: st.DataObject) -> None:
    """Quarters put together are what their minutes put together are; means but for rounding, within their parts."""
    cut = data.draw(st.integers(1, len(parts) - 1))
    whole, steps = (
        put_together(parts),
        put_together([put_together(parts[:cut]), put_together(parts[cut:])]),
    )
    means = {"wait_p50", "run_p50"}
    assert {name: value for name, value in whole._asdict().items() if name not in means} == {
        name: value for name, value in steps._asdict().items() if name not in means
    }
    for name in means:
        known = [value for part in parts if (value := getattr(part, name)) is not None]
        mean = getattr(whole, name)
        assert (mean is None) == (not known)
        assert not known or min(known) <= mean <= max(known)


@given(st.lists(stretches, min_size=1, max_size=5))
def test_side_by_side(parts: list[Stretch]) -> None:
    """Of several queues what is in them is added up, and the worst of the times shows; a minute stays a minute."""
    one = side_by_side(parts)
    assert list(one.counts) == [sum(column) for column in zip(*(part.counts for part in parts), strict=True)]
    assert one.completed == sum(part.completed for part in parts)
    assert one.minutes == max(part.minutes for part in parts)
    assert one.wait_p95 == max((part.wait_p95 for part in parts if part.wait_p95 is not None), default=None)


@given(st.lists(st.tuples(st.integers(-50, 150), stretches), max_size=30))
def test_in_stretches(rows: list[tuple[int, Stretch]]) -> None:
    """Each part is in the stretch in which it began, and nothing is where nothing began."""
    found = in_stretches([(at, text_of(part)) for at, part in rows], begin=0, step=10, number=10)
    for place, stretch in enumerate(found):
        parts = [part for at, part in rows if place * 10 <= at < place * 10 + 10]
        assert (stretch is None) == (not parts)
        assert stretch is None or stretch.completed == sum(part.completed for part in parts)
