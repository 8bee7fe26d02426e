"""What the shop refuses is not tried again."""

from __future__ import annotations

from typing import Any

from corral import CallNext, Context, Job, Unrecoverable
from shop.errors import Refused

__all__ = ["refusals"]


async def refusals(_job: Job, _context: Context, call_next: CallNext) -> Any:
    """Middleware of the worker. Services raise `Refused` without knowing what a job is: here it fails one for good."""
    try:
        return await call_next()
    except Refused as refusal:
        raise Unrecoverable(str(refusal)) from refusal
