"""What follows a job from its producer to its handler, as a client sees it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from corral.contracts.producer import EnqueueRequest

__all__ = ["Telemetry", "following", "with_trace"]


class Telemetry(Protocol):
    """Given to a client: `Client(telemetry=…)`. See `corral.instrumentation.opentelemetry.Tracing`."""

    def enqueueing(self, requests: Sequence[EnqueueRequest[Any]], /) -> AbstractContextManager[str]:
        """Entered while jobs are added, in a batch or as a flow, its root first; gives the text by which their runs
        are recognised, empty for none."""
        ...


def following(
    telemetry: Telemetry | None, requests: Sequence[EnqueueRequest[Any]]
) -> AbstractContextManager[str]:
    """What to enter while jobs are added, where there may be nobody who follows them."""
    return nullcontext("") if telemetry is None or not requests else telemetry.enqueueing(requests)


def with_trace(opts: str, trace: str) -> str:
    """Stored options with a trace's context before them, where BullMQ has it: ``tm``, a text."""
    if not trace:
        return opts
    rest = opts[1:]
    field = f'{{"tm":{json.dumps(trace)}'
    return field + rest if rest == "}" else f"{field},{rest}"
