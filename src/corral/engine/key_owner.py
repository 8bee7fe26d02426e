"""Whose a key is: which job a key of a queue belongs to, if any."""

from __future__ import annotations

import re
from typing import Final

from corral.contracts.names import OWN_SUFFIXES
from corral.engine.keys import SUFFIXES

__all__ = ["owner_of"]

_OF_QUEUE: Final = frozenset({*SUFFIXES.values(), *OWN_SUFFIXES})
_FAMILIES: Final = ("de:", "dn:", "metrics:", "0:")
_PARTS: Final = (":lock", ":logs", ":dependencies", ":processed", ":failed", ":unsuccessful")
_ITERATION: Final = re.compile(r"repeat:.+:\d+\Z", re.DOTALL)


def owner_of(suffix: str) -> str | None:
    """The id of the job that `<prefix>:<queue>:<suffix>` belongs to, None when it is not a job's.

    A key of a job, or one beside it (`<id>:logs`, …). Keys of the queue, windows of deduplication (`de:`, `dn:`),
    metrics and definitions of schedules belong to no job.
    """
    if suffix in _OF_QUEUE or suffix.startswith(_FAMILIES):
        return None
    part = next((part for part in _PARTS if suffix.endswith(part)), None)
    job_id = suffix.removesuffix(part) if part else suffix
    if job_id.startswith("repeat:"):
        return job_id if _ITERATION.match(job_id) else None
    # Ids have no colon, or two: `a:b:logs` is a job of that name, not the log of a job `a:b`.
    return suffix if part and job_id.count(":") == 1 else job_id
