"""Ids for jobs without one of their own: UUID version 7 (RFC 9562), so that they sort by time."""

from __future__ import annotations

import os
import time
from typing import Final

__all__ = ["new_job_id"]

# Two random bits behind the two bits of the RFC's variant.
VARIANTS: Final = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def new_job_id() -> str:
    """A new id: 48 bits of milliseconds, then 74 random bits. It has dashes, so it is never an integer, which
    BullMQ keeps for its own."""
    time_ms = f"{time.time_ns() // 1_000_000:012x}"
    random = os.urandom(10).hex()
    return f"{time_ms[:8]}-{time_ms[8:]}-7{random[:3]}-{VARIANTS[random[3]]}{random[4:7]}-{random[7:19]}"
