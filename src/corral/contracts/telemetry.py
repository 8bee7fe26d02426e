"""What follows a job from its producer to its handler, as a client sees it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from corral.contracts.producer import EnqueueRequest

__all__ = ["Telemetry", "with_trace"]


class Telemetry(Protocol):
    """Given to a client: `Client(telemetry=…)`. See `corral.instrumentation.opentelemetry.Tracing`."""

    def enqueueing(
        self, requests: Sequence[EnqueueRequest[Any]], /
    ) -> AbstractContextManager[Sequence[EnqueueRequest[Any]]]:
        """Entered while the jobs are added; gives them with what their runs are recognised by."""
        ...


def with_trace(request: EnqueueRequest[Any], metadata: str) -> EnqueueRequest[Any]:
    """A job with a trace's context in its options, where BullMQ has it: ``tm``, a JSON text in quotes."""
    rest = request.opts[1:]
    field = f'{{"tm":{metadata}'
    return request._replace(opts=field + rest if rest == "}" else f"{field},{rest}")
