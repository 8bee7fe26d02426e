"""What a worker writes of itself can be read again, and nothing else can."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.worker_record import Beat, WorkerState

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SECONDS = st.floats(0, 1e10)

BEAT = Beat(
    name="host-7",
    state=WorkerState.RUNNING,
    queues=("mail",),
    host="host",
    pid=7,
    version="0.1",
    python="3.12.1",
    up=60.0,
    concurrency=10,
    running=1,
    jobs=(("j1", "welcome", 1.5),),
    fetched=0.25,
    starved=0.0,
    lag_ms=1.5,
    memory=50_000_000,
)


@given(
    st.builds(
        Beat, name=TEXTS, state=st.sampled_from(WorkerState), queues=st.lists(TEXTS).map(tuple), host=TEXTS,
        pid=st.integers(0, 2**31), version=TEXTS, python=TEXTS, up=SECONDS, concurrency=st.integers(1, 10**6),
        running=st.integers(0, 10**6), jobs=st.lists(st.tuples(TEXTS, TEXTS, SECONDS)).map(tuple),
        fetched=st.none() | SECONDS, starved=SECONDS, lag_ms=SECONDS, memory=st.integers(0, 2**50),
        troubles=st.lists(TEXTS).map(tuple),
    )
)  # fmt: skip
def test_it_is_read_as_it_was_written(beat: Beat) -> None:
    """Whatever text is in it, a beat survives the way over JSON."""
    assert Beat.read(beat.text()) == beat


@pytest.mark.parametrize(
    "change",
    [
        {"up": -1},
        {"up": 1e300},
        {"jobs": [["j", "n"]]},
        {"state": "dancing"},
        {"name": None},
        {"fetched": "NaN"},
    ],
)
def test_what_no_worker_writes_is_not_read(change: dict[str, object]) -> None:
    """A beat with a value that none can have is none: a date could not be made of it, or a page would break."""
    assert Beat.read(json.dumps(json.loads(BEAT.text()) | change).encode()) is None


@pytest.mark.parametrize("text", [b"", b"[]", b"null", b"\xff", b'{"name": "x"}'])
def test_other_text_is_not_read(text: bytes) -> None:
    """What is no beat at all is None, not an error."""
    assert Beat.read(text) is None


def test_what_a_later_version_adds_does_no_harm() -> None:
    """Fields that this version does not know are passed over."""
    assert Beat.read(json.dumps(json.loads(BEAT.text()) | {"mood": "good"}).encode()) == BEAT
