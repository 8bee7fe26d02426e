"""The table of running jobs that a worker shares with its renewer."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import pytest

from corral.worker.lease.renewer.layout import MAX_TOKEN, MAX_WIRE_ID, read_held
from corral.worker.lease.table import LeaseTable


@pytest.fixture
def table() -> Iterator[LeaseTable]:
    """An empty table."""
    made = LeaseTable()
    yield made
    made.close()


def seen(table: LeaseTable) -> dict[int, tuple[int, bytes, bytes, int]]:
    """What the renewer sees: by slot, (queue, id, token, ats)."""
    with mmap.mmap(table.fd, 0) as memory:
        return {held.slot: (queue, held.wire_id, held.token, held.ats) for queue, held in read_held(memory)}


def test_what_is_held_is_seen(table: LeaseTable) -> None:
    """The renewer reads exactly what the worker wrote, the longest id and token included."""
    plain = table.hold(0, b"42", b"token", 1)
    longest = table.hold(3, b"i" * MAX_WIRE_ID, b"t" * MAX_TOKEN, 2**40)
    assert seen(table) == {
        plain: (0, b"42", b"token", 1),
        longest: (3, b"i" * MAX_WIRE_ID, b"t" * MAX_TOKEN, 2**40),
    }
    assert len(table) == 2


def test_a_dropped_slot_is_free(table: LeaseTable) -> None:
    """A dropped job is not seen any more, and the slot is the next to be used."""
    slot = table.hold(0, b"long id of the first", b"token", 1)
    table.drop(slot)
    assert seen(table) == {}
    assert table.hold(0, b"b", b"t", 2) == slot
    assert seen(table) == {slot: (0, b"b", b"t", 2)}


def test_dropping_twice_is_dropping_once(table: LeaseTable) -> None:
    """A second drop does not give the same slot to two jobs."""
    slot = table.hold(0, b"a", b"t", 1)
    table.drop(slot)
    table.drop(slot)
    assert table.hold(0, b"b", b"t", 1) != table.hold(0, b"c", b"t", 1)


def test_it_grows(table: LeaseTable) -> None:
    """There are as many slots as jobs run, and those held before are where they were."""
    slots = {table.hold(0, str(number).encode(), b"t", number): number for number in range(5000)}
    assert len(slots) == len(table) == 5000
    assert {slot: ats for slot, (_, _, _, ats) in seen(table).items()} == slots


@pytest.mark.parametrize(
    ("wire_id", "token"), [(b"i" * (MAX_WIRE_ID + 1), b"t"), (b"i", b"t" * (MAX_TOKEN + 1))]
)
def test_what_is_too_long_is_refused(table: LeaseTable, wire_id: bytes, token: bytes) -> None:
    """An id or token that does not fit is refused, never cut."""
    with pytest.raises(ValueError, match="a lease takes"):
        table.hold(0, wire_id, token, 1)


@pytest.mark.parametrize(
    ("wire_id", "token", "ats", "holds"),
    [
        (b"job", b"token", 7, True),
        (b"jo", b"token", 7, False),
        (b"job2", b"token", 7, False),
        (b"job", b"tok", 7, False),
        (b"job", b"token", 8, False),
    ],
)
def test_a_report_is_checked_against_the_slot(
    table: LeaseTable, wire_id: bytes, token: bytes, ats: int, holds: bool
) -> None:
    """Only the very run that a slot holds now counts: a report that mixes two jobs is nobody's."""
    slot = table.hold(0, b"job", b"token", 7)
    assert table.holds(slot, wire_id, token, ats) is holds
    table.drop(slot)
    assert not table.holds(slot, b"job", b"token", 7)
