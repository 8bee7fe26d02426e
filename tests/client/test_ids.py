"""Ids for jobs without one of their own."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from corral.client.ids import new_job_id
from corral.contracts.names import decode_job_id, encode_job_id


def test_they_are_uuids_of_version_7() -> None:
    """Version and variant bits are those of RFC 9562, in its one way of writing."""
    for _ in range(1000):
        text = new_job_id()
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant, str(parsed)) == (7, uuid.RFC_4122, text)


def test_they_begin_with_the_time() -> None:
    """The first 48 bits are the milliseconds since the epoch."""
    before = time.time_ns() // 1_000_000
    stamp = uuid.UUID(new_job_id()).int >> 80
    assert before <= stamp <= time.time_ns() // 1_000_000


def test_they_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """As text, an id of a later millisecond comes after one of an earlier millisecond."""
    clock = iter(range(1_700_000_000_000, 1_700_000_001_000))
    monkeypatch.setattr("corral.client.ids.time", SimpleNamespace(time_ns=lambda: next(clock) * 1_000_000))
    made = [new_job_id() for _ in range(1000)]
    assert made == sorted(made)


def test_they_are_unique() -> None:
    """Also many in one millisecond, from several threads."""
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: new_job_id(), range(10_000)))
    assert len(set(made)) == 10_000


def test_they_need_no_escaping() -> None:
    """An id is the same text in Redis, and one that a caller could give."""
    made = new_job_id()
    assert encode_job_id(made) == decode_job_id(made) == made
