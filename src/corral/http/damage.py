"""Damage: keys of a queue that hold what BullMQ does not write. It hides no other queue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from corral.engine.faults import ResponseError, is_wrong_type
from corral.errors import QueueDamaged

__all__ = ["is_damage", "of_each"]

T = TypeVar("T")


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the queue is at fault, and not this program."""
    return isinstance(error, QueueDamaged) or (isinstance(error, ResponseError) and is_wrong_type(error))


async def of_each(names: Iterable[str], ask: Callable[[str], Awaitable[T]]) -> dict[str, T | None]:
    """What was asked of each queue, at the same time; None for those that are damaged."""
    asked = list(names)
    found = await asyncio.gather(*map(ask, asked), return_exceptions=True)
    answers: dict[str, T | None] = {}
    for name, one in zip(asked, found, strict=True):
        if isinstance(one, BaseException):
            if not is_damage(one):
                raise one
            answers[name] = None
        else:
            answers[name] = one
    return answers
