"""Names in paths. A job id and a queue name may hold any letter, slashes included, as long as it is percent-encoded.

ASGI servers decode the path before it is split at its slashes. So that `a%2Fb` stays one segment, routes are matched
on the path as it was sent, and each segment is decoded when it has been found.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, unquote

from fastapi import Path
from pydantic import BeforeValidator

__all__ = ["JobId", "QueueName", "ScheduleId", "Segment", "path_as_sent"]

Segment = BeforeValidator(unquote)
"""Decode one segment of a path."""

QueueName = Annotated[str, Path(description="The queue's name.", examples=["email"]), Segment]
JobId = Annotated[str, Path(description="The job's id.", examples=["invite-42"]), Segment]
ScheduleId = Annotated[str, Path(description="The schedule's id.", examples=["nightly-report"]), Segment]


def path_as_sent(scope: dict[str, Any]) -> str:
    """The path behind `root_path` with its percent-encoding, `root_path` in front as ASGI wants it."""
    root: str = scope.get("root_path", "")
    raw: str = (scope.get("raw_path") or quote(scope["path"]).encode()).decode("latin-1").partition("?")[0]
    for mounted in (quote(root), root):
        if mounted and raw.startswith(mounted):
            return root + raw[len(mounted) :]
    return root + raw if root and not scope["path"].startswith(root) else raw
