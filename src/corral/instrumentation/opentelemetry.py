"""OpenTelemetry: one trace from whoever enqueued a job to the handler that ran it, in Node or in Python."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, Final

import structlog
from opentelemetry import trace
from opentelemetry.context import Context as TraceContext
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from corral.contracts.context import Context
from corral.contracts.job import Job
from corral.contracts.middleware import CallNext
from corral.contracts.outcome import HandlerSignal, Unrecoverable
from corral.contracts.producer import EnqueueRequest
from corral.contracts.secret import masked_text
from corral.contracts.stack import failure_reason

__all__ = ["Tracing"]

SYSTEM: Final = "bullmq"
MOST_METADATA: Final = 8192
"""Letters of a job's trace context that are read: other programs write it."""


class Tracing:
    """Spans for producers and handlers: `Client(telemetry=tracing)`, and `Worker(middleware=[tracing])`.

    Enqueueing is a PRODUCER span, whose context is stored with the job where BullMQ keeps it (`opts.tm`, W3C trace
    context as JSON, as `bullmq-otel` writes it); each run of the job is a CONSUMER span below it, also of a job that
    Node added, and Node's workers continue Corral's. Names of attributes follow the conventions for messaging. Spans
    hold no payloads and no results; errors by their type, and their text without visible secrets. Lines that a handler
    logs carry `trace_id` and `span_id`.

    Args:
        provider: of tracers; the global one by default.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("corral", version("corral"), provider)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def enqueueing(self, requests: Sequence[EnqueueRequest[Any]], /) -> Iterator[str]:
        """A span around the adding of jobs; gives its context as JSON."""
        first = requests[0]
        attributes: dict[str, Any] = {
            "messaging.system": SYSTEM,
            "messaging.operation.type": "send",
            "messaging.destination.name": first.queue,
            "corral.task": first.name,
        }
        if len(requests) > 1:
            attributes["messaging.batch.message_count"] = len(requests)
        with self._tracer.start_as_current_span(
            f"send {first.queue}",
            kind=SpanKind.PRODUCER,
            attributes=attributes,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            carrier: dict[str, str] = {}
            self._propagator.inject(carrier)
            try:
                yield json.dumps(carrier, separators=(",", ":")) if carrier else ""
            except BaseException as error:
                _record(span, error)
                raise

    async def __call__(self, job: Job, context: Context, call_next: CallNext, /) -> Any:
        """Run a handler inside of a span."""
        attributes: dict[str, Any] = {
            "messaging.system": SYSTEM,
            "messaging.operation.type": "process",
            "messaging.destination.name": job.queue,
            "messaging.message.id": job.id,
            "corral.task": job.name,
            "corral.attempt": context.attempt,
        }
        with (
            self._tracer.start_as_current_span(
                f"process {job.queue}",
                context=self._parent(job.opts.raw),
                kind=SpanKind.CONSUMER,
                attributes=attributes,
                record_exception=False,
                set_status_on_exception=False,
            ) as span,
            structlog.contextvars.bound_contextvars(**_ids_of(span)),
        ):
            try:
                return await call_next()
            except BaseException as error:
                # Most signals say what is to become of the job, and are no errors.
                if isinstance(error, Unrecoverable) or not isinstance(error, HandlerSignal):
                    _record(span, error)
                raise

    def _parent(self, options: Mapping[str, Any]) -> TraceContext | None:
        """The context of the span that added a job; None where there is none, or none that can be read."""
        metadata = options.get("tm")
        if not isinstance(metadata, str) or len(metadata) > MOST_METADATA or options.get("omc"):
            return None
        try:
            carrier = json.loads(metadata)
        except ValueError:
            return None
        if not isinstance(carrier, dict):
            return None
        texts = {name: value for name, value in carrier.items() if isinstance(value, str)}
        return self._propagator.extract(texts, context=TraceContext())


def _ids_of(span: Span) -> dict[str, str]:
    found = span.get_span_context()
    if not found.is_valid:
        return {}
    return {"trace_id": trace.format_trace_id(found.trace_id), "span_id": trace.format_span_id(found.span_id)}


def _record(span: Span, error: BaseException) -> None:
    name, text = type(error).__qualname__, masked_text(failure_reason(error))[:1000]
    span.set_attribute("error.type", name)
    span.add_event("exception", {"exception.type": name, "exception.message": text})
    span.set_status(Status(StatusCode.ERROR, text))
