"""Options written as BullMQ's JSON, and read back the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.backoff import Exponential, Fixed
from corral.contracts.deduplication import Deduplication
from corral.contracts.options import DEFAULTS, MAX_PRIORITY, JobOptions, call_changes, merge_task_options
from corral.contracts.retention import Keep
from corral.contracts.wire_options import PER_JOB_FIELDS, decode_options, encode_options, with_job_options

SECONDS = st.integers(min_value=1, max_value=10**9).map(lambda ms: ms / 1000)
KEEPS = st.builds(
    Keep, count=st.none() | st.integers(0, 10**6), age=st.none() | st.integers(1, 10**6).map(float)
)
DEDUPLICATIONS = st.builds(
    Deduplication,
    id=st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20),
    ttl=SECONDS,
    extend=st.booleans(),
    replace=st.booleans(),
    keep_last_if_active=st.booleans(),
)
BACKOFFS = st.builds(Fixed, SECONDS, st.floats(0, 1)) | st.builds(Exponential, SECONDS, st.floats(0, 1))
OPTIONS = st.builds(
    JobOptions,
    attempts=st.integers(1, 100),
    backoff=st.none() | BACKOFFS,
    timeout_ms=st.none() | st.integers(1, 10**9),
    priority=st.integers(0, MAX_PRIORITY),
    remove_on_complete=KEEPS,
    remove_on_fail=KEEPS,
    lifo=st.booleans(),
    delay_ms=st.integers(0, 10**12),
    deduplication=st.none() | DEDUPLICATIONS,
)


@given(OPTIONS, st.none() | st.text(max_size=20))
def test_what_is_written_is_read(options: JobOptions, job_id: str | None) -> None:
    """Every option survives the way through Redis."""
    stored = decode_options(encode_options(options, job_id=job_id or None))
    for name in ("attempts", "timeout_ms", "priority", "lifo", "delay_ms", "deduplication"):
        assert getattr(stored, name) == getattr(options, name)
    assert stored.remove_on_complete == options.remove_on_complete
    assert stored.remove_on_fail == options.remove_on_fail
    assert stored.job_id == (job_id or None)
    assert (stored.backoff.resolve() if stored.backoff else None) == options.backoff


def encoded(**changes: Any) -> Any:
    """What is stored for Corral's defaults with changes."""
    return json.loads(encode_options(merge_task_options(DEFAULTS, changes)))


def test_the_defaults_as_stored() -> None:
    """Attempts, backoff and retention are always explicit, so that workers of any kind agree on them."""
    assert encoded() == {
        "attempts": 3,
        "backoff": {"type": "exponential", "delay": 1000},
        "removeOnComplete": 1000,
        "removeOnFail": False,
    }


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({"timeout": 30}, {"timeout": 30_000}),
        ({"backoff": Fixed(2, jitter=0.5)}, {"backoff": {"type": "fixed", "delay": 2000, "jitter": 0.5}}),
        ({"backoff": lambda made, error: 1}, {"backoff": {"type": "custom", "delay": 0}}),
        ({"priority": 7}, {"priority": 7}),
        ({"remove_on_complete": True}, {"removeOnComplete": True}),
        ({"remove_on_complete": Keep(age=60)}, {"removeOnComplete": {"age": 60}}),
        ({"remove_on_fail": Keep(count=5, age=60)}, {"removeOnFail": {"age": 60, "count": 5}}),
    ],
)
def test_names_and_units_of_bullmq(changes: dict[str, Any], stored: dict[str, Any]) -> None:
    """Times are milliseconds, ages seconds, and a backoff is an object with a type."""
    assert stored.items() <= encoded(**changes).items()


@pytest.mark.parametrize("absent", ["timeout", "priority", "delay", "lifo", "de", "jobId"])
def test_what_is_not_set_is_not_stored(absent: str) -> None:
    """Options without a value take no room."""
    assert absent not in encoded()


def test_per_job_options_are_appended() -> None:
    """Delay, id and deduplication are put behind a text that jobs of a task share."""
    changes = call_changes(
        {"delay": 5, "job_id": 'a"b', "deduplication": Deduplication("d", ttl=1, extend=True)}
    )
    text = with_job_options(
        "{" + '"attempts":3}', changes["delay_ms"], changes["job_id"], changes["deduplication"]
    )
    assert json.loads(text) == {
        "attempts": 3,
        "delay": 5000,
        "jobId": 'a"b',
        "de": {"id": "d", "ttl": 1000, "extend": True},
    }


def test_run_at_and_durability_are_not_stored() -> None:
    """They say when a job is due and what the call waits for: neither is an option of the job."""
    assert {"due_ms", "durability"} <= PER_JOB_FIELDS
