"""The table of running jobs in shared memory, as both sides know it, and how the renewer reads it."""

from __future__ import annotations

import mmap
import struct

TYPE_CHECKING = False  # a name every checker knows; `typing` itself costs the renewer half a MiB
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = struct.Struct("<Q")
"""Start of the table: the offset behind the last slot ever used."""
SLOT = struct.Struct("<BBHHH48s80s640s")
"""One running job: held (0 or 1), length of fence, queue index, length of token, length of id, fence, token, id."""
FIRST_SLOT = 64
SLOT_SIZE = 832
MAX_FENCE = 48
MAX_TOKEN = 80
MAX_WIRE_ID = 640


class Held:
    """One slot of the table as it was read."""

    __slots__ = ("fence", "slot", "token", "wire_id")

    def __init__(self, slot: int, fence: bytes, token: bytes, wire_id: bytes) -> None:
        self.slot = slot
        self.fence = fence
        self.token = token
        self.wire_id = wire_id

    def key(self) -> tuple[int, bytes, bytes, bytes]:
        """What makes this run of this job in this slot different from any other."""
        return (self.slot, self.fence, self.token, self.wire_id)


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
            _, fence_size, queue, token_size, id_size, *kept = SLOT.unpack_from(table, slot)
            fence, token, wire_id = kept
            yield queue, Held(slot, fence[:fence_size], token[:token_size], wire_id[:id_size])
