"""Entries of a queue's event stream, with typed access to their fields."""

from __future__ import annotations

import pytest

from corral.contracts.event import Event, EventName
from corral.contracts.states import JobState


def event(**fields: str) -> Event:
    """Make an event as the stream has it."""
    entry = {name.encode(): text.encode() for name, text in fields.items()}
    return Event.from_fields("email", b"1700000000123-4", entry)


def test_an_entry_becomes_an_event() -> None:
    """Name, job and place in the stream; the rest stays as fields."""
    completed = event(event="completed", jobId="a%3Ab", returnvalue='{"ok":true}', prev="active")
    assert (completed.name, completed.job_id, completed.queue) == ("completed", "a:b", "email")
    assert (completed.id, completed.timestamp_ms) == ("1700000000123-4", 1_700_000_000_123)
    assert (completed.returnvalue, completed.prev) == ({"ok": True}, JobState.ACTIVE)
    assert dict(completed.fields) == {"returnvalue": '{"ok":true}', "prev": "active"}


def test_each_kind_has_its_fields() -> None:
    """Typed access to what the layout says each event carries."""
    assert event(event="failed", failedReason="boom").failed_reason == "boom"
    assert event(event="progress", data="50").data == 50
    assert event(event="delayed", delay="1700000000000").due_ms == 1_700_000_000_000
    assert event(event="retries-exhausted", attemptsMade="3").attempts_made == 3
    dropped = event(event="deduplicated", jobId="1", deduplicationId="d", deduplicatedJobId="b%3Ac")
    assert (dropped.deduplication_id, dropped.deduplicated_job_id) == ("d", "b:c")


def test_what_an_event_does_not_carry_is_none() -> None:
    """An event about no job, without fields."""
    drained = event(event="drained")
    assert drained.job_id is None
    assert [drained.prev, drained.returnvalue, drained.failed_reason, drained.data, drained.due_ms] == [
        None
    ] * 5
    assert [drained.attempts_made, drained.deduplication_id, drained.deduplicated_job_id] == [None] * 3


@pytest.mark.parametrize(("field", "text"), [("returnvalue", "NaN"), ("data", "{")])
def test_json_that_is_none_stays_text(field: str, text: str) -> None:
    """One bad event of another client does not stop a subscriber."""
    assert getattr(event(event="x", **{field: text}), field) == text


def test_nonsense_in_numbers_and_states_is_none() -> None:
    """The same for numbers and states."""
    odd = event(event="custom", delay="soon", attemptsMade="-", prev="limbo")
    assert (odd.due_ms, odd.attempts_made, odd.prev) == (None, None, None)


def test_the_rest_of_what_events_carry() -> None:
    """The job's name, how many were cleaned, and the fields that only BullMQ 5 writes."""
    assert event(event="added", jobId="1", name="email.send").job_name == "email.send"
    assert event(event="cleaned", count="12").count == 12
    assert event(event="debounced", jobId="1", debounceId="d").deduplication_id == "d"


@pytest.mark.parametrize(
    ("prev", "state"),
    [
        ("wait", JobState.WAITING),
        ("paused", JobState.WAITING),
        ("waiting-children", JobState.WAITING_CHILDREN),
    ],
)
def test_lists_that_stand_for_states(prev: str, state: JobState) -> None:
    """BullMQ says of a removed job in which list it was."""
    assert event(event="removed", jobId="1", prev=prev).prev is state


def test_events_of_programs() -> None:
    """What is not of BullMQ comes through as it is."""
    custom = event(event="shop.paid", amount="12 EUR", jobId="7")
    assert (custom.is_custom, custom.name, custom.job_id) == (True, "shop.paid", "7")
    assert dict(custom.fields) == {"amount": "12 EUR"}
    assert not any(event(event=name).is_custom for name in EventName)
