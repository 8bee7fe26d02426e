"""Ids for jobs without one of their own: UUID version 7 (RFC 9562), so that they sort by time."""

from __future__ import annotations

import os
import time

__all__ = ["new_job_id"]


def new_job_id() -> str:
    """A new id: 48 bits of milliseconds, then 74 random bits. It has dashes, so it is never an integer, which
    BullMQ keeps for its own."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000) << 80 | random
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
