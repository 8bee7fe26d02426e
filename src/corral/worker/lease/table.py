"""The table of running jobs that a worker shares with its renewer, in memory."""

from __future__ import annotations

import mmap
import os
import tempfile

from corral.worker.lease.renewer.layout import (
    FIRST_SLOT,
    HEADER,
    MAX_FENCE,
    MAX_TOKEN,
    MAX_WIRE_ID,
    SLOT,
    SLOT_SIZE,
)

SLOTS_AT_ONCE = 64
FIRST_SIZE = FIRST_SLOT + 1024 * SLOT_SIZE
_pack = SLOT.pack_into  # looked up once: it runs once per job


class LeaseTable:
    """One slot of fixed size for each running job: its queue, wire id, token and fence.

    Only the worker writes, from one thread, and only the renewer reads, from another process; there is no
    lock between them. A slot is named by its offset. Free slots are reused, the last freed first, so the
    renewer's scan and the memory in use follow the largest number of jobs that ever ran at once. The memory
    is a file without a name (`memfd` on Linux): it survives a restart of the renewer and vanishes with the
    worker.
    """

    def __init__(self) -> None:
        self.fd = _anonymous_file()
        os.ftruncate(self.fd, FIRST_SIZE)
        self._memory = mmap.mmap(self.fd, FIRST_SIZE)
        self._free: list[int] = []
        self._end = FIRST_SLOT

    def hold(self, queue_index: int, wire_id: bytes, token: bytes, fence: bytes) -> int:
        """Write a job into a free slot and return the slot. ValueError when something of it is too long."""
        if len(wire_id) > MAX_WIRE_ID or len(token) > MAX_TOKEN or len(fence) > MAX_FENCE:
            most = f"{MAX_WIRE_ID}, {MAX_TOKEN} and {MAX_FENCE}"
            raise ValueError(f"a lease takes ids, tokens and fences up to {most} bytes")
        slot = self._free.pop() if self._free else self._new_slot()
        _pack(self._memory, slot, 1, len(fence), queue_index, len(token), len(wire_id), fence, token, wire_id)
        return slot

    def drop(self, slot: int) -> None:
        """Free a slot. A slot that is free already stays so."""
        if self._memory[slot]:
            self._memory[slot] = 0
            self._free.append(slot)

    def holds(self, slot: int, wire_id: bytes, token: bytes, fence: bytes) -> bool:
        """Whether the slot is held, now, for exactly this run of this job."""
        if not self._memory[slot]:
            return False
        _, fence_size, _, token_size, id_size, *kept = SLOT.unpack_from(self._memory, slot)
        sizes = (fence_size, token_size, id_size)
        return [text[:size] for text, size in zip(kept, sizes, strict=True)] == [fence, token, wire_id]

    def __len__(self) -> int:
        """How many slots are held."""
        return (self._end - FIRST_SLOT) // SLOT_SIZE - len(self._free)

    def close(self) -> None:
        """Give the memory back."""
        self._memory.close()
        os.close(self.fd)

    def _new_slot(self) -> int:
        first, self._end = self._end, self._end + SLOTS_AT_ONCE * SLOT_SIZE
        if self._end > len(self._memory):
            size = FIRST_SLOT + 2 * (self._end - FIRST_SLOT)
            os.ftruncate(self.fd, size)
            self._memory = mmap.mmap(self.fd, size)
        # Last of all: what the renewer may read exists, and is zero.
        HEADER.pack_into(self._memory, 0, self._end)
        self._free.extend(range(self._end - SLOT_SIZE, first, -SLOT_SIZE))
        return first


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("corral-leases", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
