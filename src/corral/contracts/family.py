"""A job's children, and the tree below it, as they are at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from corral.contracts.job import Job

__all__ = ["Child", "ChildCounts", "ChildKind", "ChildPage", "FlowTree"]

ChildKind = Literal["pending", "completed", "tolerated", "fatal"]
"""What became of a child: it has not ended; it completed; it failed and was tolerated; it failed, and so does its
parent. BullMQ calls them unprocessed, processed, ignored and failed."""


@dataclass(frozen=True, slots=True)
class Child:
    """One child of a job: ``value`` is what it returned, ``reason`` why it failed, as far as its parent keeps that."""

    job_id: str
    queue: str
    value: Any = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChildPage:
    """Some children of one kind. ``cursor``: where to go on, 0 when these were the last."""

    children: list[Child]
    cursor: int


@dataclass(frozen=True, slots=True)
class ChildCounts:
    """How many children of each kind a job has."""

    pending: int
    completed: int
    tolerated: int
    fatal: int


@dataclass(frozen=True, slots=True)
class FlowTree:
    """A job with those below it. A child that is not kept any more is counted in ``more``, as are those that were not
    read."""

    job: Job
    children: tuple[FlowTree, ...] = ()
    more: int = 0
