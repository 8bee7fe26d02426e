"""A job's snapshot, from the hash of any client."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.job import Job
from corral.contracts.states import JobState
from corral.contracts.wire_options import NO_OPTIONS

HASH = {
    b"name": b"send",
    b"data": b'{"to":"a@b.org"}',
    b"opts": b'{"attempts":3}',
    b"timestamp": b"1700000000123",
    b"processedOn": b"1700000001000",
    b"finishedOn": b"1700000002000",
    b"delay": b"5",
    b"priority": b"2",
    b"ats": b"2",
    b"atm": b"1",
    b"stc": b"1",
    b"progress": b"50",
    b"returnvalue": b"null",
    b"failedReason": b"boom",
    b"stacktrace": b'["one","two"]',
    b"parentKey": b"bull:q:1",
    b"deid": b"d",
    b"rjk": b"nightly",
    b"pb": b"worker-1",
    b"unknown": b"ignored",
}
FIELDS = sorted(name.decode() for name in HASH)


def test_every_field_is_read() -> None:
    """The names and units of BullMQ's hash become those of Python."""
    job = Job.from_fields("email", "a%3Ab", HASH, state=JobState.ACTIVE)
    assert (job.id, job.queue, job.name, job.state) == ("a:b", "email", "send", JobState.ACTIVE)
    assert (job.data, job.opts.attempts, job.delay, job.priority) == ({"to": "a@b.org"}, 3, 5, 2)
    assert job.timestamp == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
    assert job.processed_on == datetime(2023, 11, 14, 22, 13, 21, tzinfo=UTC)
    assert job.finished_on == datetime(2023, 11, 14, 22, 13, 22, tzinfo=UTC)
    assert (job.attempts_started, job.attempts_made, job.stalled_count) == (2, 1, 1)
    assert (job.progress, job.returnvalue, job.failed_reason) == (50, None, "boom")
    assert job.stacktrace == ("one", "two")
    assert (job.parent_key, job.deduplication_id, job.repeat_key) == ("bull:q:1", "d", "nightly")
    assert job.processed_by == "worker-1"
    assert dict(job.malformed) == {}


def test_text_and_bytes_are_the_same() -> None:
    """A client that decodes replies gives the same snapshot."""
    as_text = {name.decode(): value.decode() for name, value in HASH.items()}
    assert Job.from_fields("email", "1", as_text) == Job.from_fields("email", "1", HASH)


def test_a_job_may_have_hardly_anything() -> None:
    """A stub of a hash is a snapshot too, and says what it lacks."""
    job = Job.from_fields("email", "1", {})
    assert (job.name, job.data, job.opts, job.timestamp) == ("", None, NO_OPTIONS, None)
    assert dict(job.malformed) == {"name": "missing", "data": "missing"}


@pytest.mark.parametrize(
    ("field", "text", "attribute", "value"),
    [
        ("data", "{not json", "data", "{not json"),
        ("data", "NaN", "data", "NaN"),
        ("opts", "[5]", "opts", NO_OPTIONS),
        ("timestamp", "yesterday", "timestamp", None),
        ("timestamp", "9" * 30, "timestamp", None),
        ("atm", "many", "attempts_made", 0),
        ("progress", "{", "progress", "{"),
        ("stacktrace", "Error: boom", "stacktrace", ("Error: boom",)),
    ],
)
def test_a_malformed_field_keeps_its_text(field: str, text: str, attribute: str, value: object) -> None:
    """Nothing raises: the raw text stays, and the reason is noted."""
    job = Job.from_fields("email", "1", {"name": "send", "data": "{}", field: text})
    assert getattr(job, attribute) == value
    assert list(job.malformed) == [field]


@given(st.dictionaries(st.sampled_from(FIELDS), st.binary(max_size=30) | st.text(max_size=30)))
def test_no_hash_at_all_raises(fields: dict[str, Any]) -> None:
    """Any bytes in any field give a snapshot."""
    assert Job.from_fields("email", "1", fields).id == "1"


def test_old_versions_count_attempts_under_another_name() -> None:
    """``attemptsMade`` is read where there is no ``atm``."""
    assert Job.from_fields("q", "1", {"attemptsMade": "4"}).attempts_made == 4


def test_a_job_cannot_be_changed() -> None:
    """It is what was read, and has no verbs."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Job.from_fields("q", "1", {}).name = "other"  # type: ignore[misc]
