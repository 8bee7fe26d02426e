"""The table of running jobs that a worker shares with its renewer."""

from __future__ import annotations

import mmap
from collections.abc import Iterator

import pytest

from corral.worker.lease.renewer.layout import MAX_FENCE, MAX_TOKEN, MAX_WIRE_ID, read_held
from corral.worker.lease.table import LeaseTable


@pytest.fixture
def table() -> Iterator[LeaseTable]:
    """An empty table."""
    made = LeaseTable()
    yield made
    made.close()


def seen(table: LeaseTable) -> dict[int, tuple[int, bytes, bytes, bytes]]:
    """What the renewer sees: by slot, (queue, id, token, fence)."""
    with mmap.mmap(table.fd, 0) as memory:
        return {held.slot: (queue, held.wire_id, held.token, held.fence) for queue, held in read_held(memory)}


def test_what_is_held_is_seen(table: LeaseTable) -> None:
    """The renewer reads exactly what the worker wrote, the longest id and token included."""
    plain = table.hold(0, b"42", b"token", b"1:5")
    longest = table.hold(3, b"i" * MAX_WIRE_ID, b"t" * MAX_TOKEN, b"f" * MAX_FENCE)
    assert seen(table) == {
        plain: (0, b"42", b"token", b"1:5"),
        longest: (3, b"i" * MAX_WIRE_ID, b"t" * MAX_TOKEN, b"f" * MAX_FENCE),
    }
    assert len(table) == 2


def test_a_dropped_slot_is_free(table: LeaseTable) -> None:
    """A dropped job is not seen any more, and the slot is the next to be used."""
    slot = table.hold(0, b"long id of the first", b"token", b"10:5")
    table.drop(slot)
    assert seen(table) == {}
    assert table.hold(0, b"b", b"t", b"2:5") == slot
    assert seen(table) == {slot: (0, b"b", b"t", b"2:5")}


def test_dropping_twice_is_dropping_once(table: LeaseTable) -> None:
    """A second drop does not give the same slot to two jobs."""
    slot = table.hold(0, b"a", b"t", b"1")
    table.drop(slot)
    table.drop(slot)
    assert table.hold(0, b"b", b"t", b"1") != table.hold(0, b"c", b"t", b"1")


def test_it_grows(table: LeaseTable) -> None:
    """There are as many slots as jobs run, and those held before are where they were."""
    slots = {table.hold(0, b"i", b"t", b"%d" % number): b"%d" % number for number in range(5000)}
    assert len(slots) == len(table) == 5000
    assert {slot: fence for slot, (_, _, _, fence) in seen(table).items()} == slots


@pytest.mark.parametrize(
    ("wire_id", "token", "fence"),
    [
        (b"i" * (MAX_WIRE_ID + 1), b"t", b"1"),
        (b"i", b"t" * (MAX_TOKEN + 1), b"1"),
        (b"i", b"t", b"1" * (MAX_FENCE + 1)),
    ],
)
def test_what_is_too_long_is_refused(table: LeaseTable, wire_id: bytes, token: bytes, fence: bytes) -> None:
    """An id, token or fence that does not fit is refused, never cut."""
    with pytest.raises(ValueError, match="a lease takes"):
        table.hold(0, wire_id, token, fence)


@pytest.mark.parametrize(
    ("wire_id", "token", "fence", "holds"),
    [
        (b"job", b"token", b"7:5", True),
        (b"jo", b"token", b"7:5", False),
        (b"job2", b"token", b"7:5", False),
        (b"job", b"tok", b"7:5", False),
        (b"job", b"token", b"7:6", False),
    ],
)
def test_a_report_is_checked_against_the_slot(
    table: LeaseTable, wire_id: bytes, token: bytes, fence: bytes, holds: bool
) -> None:
    """Only the very run that a slot holds now counts: a report that mixes two jobs is nobody's."""
    slot = table.hold(0, b"job", b"token", b"7:5")
    assert table.holds(slot, wire_id, token, fence) is holds
    table.drop(slot)
    assert not table.holds(slot, b"job", b"token", b"7:5")
