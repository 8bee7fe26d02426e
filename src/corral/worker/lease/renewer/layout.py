"""The table of running jobs in shared memory, as both sides know it, and how the renewer reads it."""

from __future__ import annotations

import mmap
import struct

TYPE_CHECKING = False  # a name every checker knows; `typing` itself costs the renewer half a MiB
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = struct.Struct("<Q")
"""Start of the table: the offset behind the last slot ever used."""
SLOT = struct.Struct("<BxHHHq80s640s")
"""One running job: held (0 or 1), queue index, length of token, length of id, ats, token, id."""
FIRST_SLOT = 64
SLOT_SIZE = 768
MAX_TOKEN = 80
MAX_WIRE_ID = 640


class Held:
    """One slot of the table as it was read."""

    __slots__ = ("ats", "slot", "token", "wire_id")

    def __init__(self, slot: int, ats: int, token: bytes, wire_id: bytes) -> None:
        self.slot = slot
        self.ats = ats
        self.token = token
        self.wire_id = wire_id

    def key(self) -> tuple[int, int, bytes, bytes]:
        """What makes this run of this job in this slot different from any other."""
        return (self.slot, self.ats, self.token, self.wire_id)


def used_size(table: mmap.mmap) -> int:
    """The offset behind the last slot ever used; beyond the end of the mapping when the table has grown."""
    end: int = HEADER.unpack_from(table, 0)[0]
    return end


def read_held(table: mmap.mmap) -> Iterator[tuple[int, Held]]:
    """Yield (queue index, slot content) of every held slot.

    The worker may write a slot while it is read here, and the content may then mix two jobs. That is
    harmless: the script renews nothing for an id whose token is another's, and the worker checks a reported
    loss against its table.
    """
    for slot in range(FIRST_SLOT, min(used_size(table), len(table)), SLOT_SIZE):
        if table[slot]:
            _, queue, token_size, id_size, ats, token, wire_id = SLOT.unpack_from(table, slot)
            yield queue, Held(slot, ats, token[:token_size], wire_id[:id_size])
