"""Queue names and job ids: what is allowed, and a one-to-one mapping to ids that BullMQ takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from corral.contracts.names import (
    RESERVED_IDS,
    check_queue_name,
    check_schedule_id,
    decode_job_id,
    encode_job_id,
    iteration_id,
    lookup_job_id,
)
from corral.errors import InvalidJobId, InvalidQueueName, InvalidSchedule

TRICKY = st.text(alphabet=st.sampled_from(list(":%25A3adefimnortw0-")), min_size=1, max_size=24)
IDS = st.one_of(TRICKY, st.text(min_size=1, max_size=50), st.sampled_from(sorted(RESERVED_IDS)))


def acceptable(job_id: str) -> bool:
    """Whether an id may be chosen by a user."""
    try:
        encode_job_id(job_id)
    except InvalidJobId:
        return False
    return True


@given(IDS)
@example("a%3Ab")
@example("%77ait")
@example("%2577ait")
@example("50%")
@example("metrics:completed:data")
def test_decoding_undoes_encoding(job_id: str) -> None:
    """The id that a user gave is the id that a user sees."""
    assume(acceptable(job_id))
    assert decode_job_id(encode_job_id(job_id)) == job_id


@given(IDS)
@example("a%253Ab")
@example("https%3A%2F%2Fx")
@example("a%3Ab%3Ac")
@example("%77ait")
def test_whatever_is_read_leads_back_to_the_same_key(wire_id: str) -> None:
    """An id read from Redis, also one that Node chose, is found again under the text shown for it."""
    assume(wire_id.count(":") in {0, 2})
    assume(
        not wire_id.startswith(("de:", "dn:", "metrics:", "0:"))
    )  # as ids these would hit the queue's own keys
    assume(wire_id not in RESERVED_IDS)
    assert lookup_job_id(decode_job_id(wire_id)) == wire_id


@given(IDS, IDS)
def test_different_ids_stay_different(one: str, other: str) -> None:
    """Two ids never share a key."""
    assume(one != other and acceptable(one) and acceptable(other))
    assert encode_job_id(one) != encode_job_id(other)


@given(IDS)
def test_encoded_ids_are_ones_that_bullmq_takes(job_id: str) -> None:
    """On the wire: no integer, no ``0:``, no colon but in exactly three parts, none of the queue's own keys."""
    assume(acceptable(job_id))
    wire_id = encode_job_id(job_id)
    assert not re.fullmatch(r"-?[0-9]+", wire_id)
    assert wire_id.count(":") in {0, 2}
    assert not wire_id.startswith(("0:", "repeat:", "de:", "dn:", "metrics:"))
    assert wire_id not in RESERVED_IDS


@pytest.mark.parametrize(
    ("job_id", "wire_id"),
    [
        ("invite-42", "invite-42"),
        ("invite:42", "invite%3A42"),
        ("user:42:invite", "user:42:invite"),
        ("a:b:c:d", "a%3Ab%3Ac%3Ad"),
        ("50%:off", "50%25%3Aoff"),
        ("50%", "50%"),
        ("a%3Ab", "a%253Ab"),
        ("wait", "%77ait"),
        ("stalled-check", "%73talled-check"),
        ("metrics:completed:data", "metrics%3Acompleted%3Adata"),
        ("de:a:b", "de%3Aa%3Ab"),
        ("0:a:b", "0%3Aa%3Ab"),
        ("größe", "größe"),
        ("waiting", "waiting"),
    ],
)
def test_ids_go_raw_where_bullmq_takes_them(job_id: str, wire_id: str) -> None:
    """Exactly three parts go raw; else colon and percent are encoded, and so is a key of the queue itself."""
    assert encode_job_id(job_id) == wire_id


@pytest.mark.parametrize(
    ("job_id", "why"),
    [
        ("7", "integers"),
        ("-7", "integers"),
        ("0", "integers"),
        ("", "empty"),
        ("repeat:x:1", "scheduled"),
        ("a\nb", "control"),
        ("a\x7fb", "control"),
        ("x" * 201, "201 bytes"),
        ("ü" * 101, "202 bytes"),
        ("\ud800", "surrogate"),
        (7, "not int"),
        (None, "not NoneType"),
    ],
)
def test_ids_that_cannot_be_are_refused_with_the_reason(job_id: object, why: str) -> None:
    """Integers, `repeat:…`, control characters, emptiness and excess are refused, each with its reason."""
    with pytest.raises(InvalidJobId, match=why) as caught:
        encode_job_id(job_id)
    assert caught.value.reason in str(caught.value)


@pytest.mark.parametrize("job_id", ["7", "0", "repeat:nightly:1700000000000"])
def test_generated_and_scheduled_ids_can_be_looked_up(job_id: str) -> None:
    """What nobody may choose can still be asked for."""
    assert lookup_job_id(job_id) == job_id


def test_a_long_foreign_id_is_left_alone() -> None:
    """An id far beyond what Corral writes is neither decoded nor encoded, whatever it looks like."""
    foreign = "%25" * 5000 + "3A"
    assert decode_job_id(foreign) == foreign
    assert lookup_job_id(foreign) == foreign


@pytest.mark.parametrize("name", ["email", "email.high", "{billing}-mail", "größe", "a b", "x" * 200])
def test_ordinary_queue_names_are_fine(name: str) -> None:
    """Letters, dots, dashes, spaces, and one hash tag."""
    assert check_queue_name(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "empty"),
        ("a:b", "colon"),
        ("a\tb", "control"),
        ("x" * 201, "201 bytes"),
        ("a{b", "hash tag"),
        ("a}b{", "hash tag"),
        ("{}", "hash tag"),
        ("{a}{b}", "hash tag"),
        ("\udfff", "surrogate"),
        (5, "not int"),
    ],
)
def test_queue_names_that_cannot_be_are_refused(name: object, why: str) -> None:
    """A colon would split the key; a stray brace would scatter the queue over a cluster."""
    with pytest.raises(InvalidQueueName, match=why):
        check_queue_name(name)


@pytest.mark.parametrize("schedule_id", ["nightly", "a:b:c", "x" * 200, "täglich", "7", "a:7b"])
def test_ids_of_schedules_may_be_almost_anything(schedule_id: str) -> None:
    """Colons too: they are never parsed from the left."""
    assert check_schedule_id(schedule_id) == schedule_id


@pytest.mark.parametrize(
    ("schedule_id", "why"),
    [
        ("", "empty"),
        ("x" * 201, "201 bytes"),
        ("a\nb", "control"),
        ("report:5", "another schedule"),
        (5, "not int"),
    ],
)
def test_ids_of_schedules_that_cannot_be_are_refused(schedule_id: object, why: str) -> None:
    """Among them those whose hash would have the key of another schedule's job."""
    with pytest.raises(InvalidSchedule, match=why) as caught:
        check_schedule_id(schedule_id)
    assert caught.value.field == "id"
    assert iteration_id("report", 5) == "repeat:report:5"
