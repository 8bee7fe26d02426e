"""One trace from the producer to the handler."""

from __future__ import annotations

import asyncio
import json

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from corral import Client, Context, Queue, Snooze, SyncClient, Unrecoverable, Worker
from corral.contracts.telemetry import with_trace
from corral.errors import JobFailed
from corral.instrumentation.opentelemetry import Tracing
from corral.worker.verdict import policy_of


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Where spans go."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    """Of tracers, of this test alone."""
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


def context_of(span: ReadableSpan) -> SpanContext:
    """Its ids."""
    found = span.get_span_context()
    assert found is not None
    return found


def by_name(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """The spans of a name, in the order in which they ended."""
    return [span for span in exporter.get_finished_spans() if span.name == name]


async def test_from_enqueue_to_handler(
    redis_url: str, prefix: str, queue_name: str, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Whoever enqueues, the span that adds the job, and the run are one trace, each below the one before; what a
    handler enqueues goes on with it; lines that it logs carry the ids."""
    tracing, queue = Tracing(provider), Queue(queue_name)
    logged: list[dict[str, object]] = []

    @queue.task
    async def second(number: int) -> None:
        logged.append(dict(structlog.contextvars.get_contextvars()))

    @queue.task
    async def first(number: int) -> None:
        await second.enqueue(client, number)

    async with (
        Client(redis_url, prefix=prefix, telemetry=tracing) as client,
        Worker(queue, client=client, middleware=[tracing]),
    ):
        with provider.get_tracer("test").start_as_current_span("request") as request:
            job = await first.enqueue(client, 1)
        await job.result(timeout=20)
        while len(by_name(exporter, f"process {queue_name}")) < 2:
            await asyncio.sleep(0)
    sends, runs = by_name(exporter, f"send {queue_name}"), by_name(exporter, f"process {queue_name}")
    assert {context_of(span).trace_id for span in (*sends, *runs)} == {request.get_span_context().trace_id}
    parents = {context_of(span).span_id: span.parent.span_id for span in (*sends, *runs) if span.parent}
    assert parents[context_of(sends[0]).span_id] == request.get_span_context().span_id
    run_of_first = next(
        span for span in runs if span.attributes and span.attributes["corral.task"] == "first"
    )
    assert parents[context_of(run_of_first).span_id] == context_of(sends[0]).span_id
    assert parents[context_of(sends[1]).span_id] == context_of(run_of_first).span_id
    assert (sends[0].kind, run_of_first.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert logged[0]["trace_id"] == f"{request.get_span_context().trace_id:032x}"


async def test_errors_and_signals(
    redis_url: str, prefix: str, queue_name: str, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """An error is recorded by its type and text, without what looks secret, and no payload; a snooze is no error."""
    tracing, queue, snoozed = Tracing(provider), Queue(queue_name), list[int]()

    @queue.task
    async def fails(text: str) -> None:
        raise Unrecoverable(f"redis://:hunter22@host refused {len(text)}")

    @queue.task
    async def waits(number: int) -> None:
        snoozed.append(number)
        if len(snoozed) == 1:
            raise Snooze(0.01)

    async with (
        Client(redis_url, prefix=prefix, telemetry=tracing) as client,
        Worker(queue, client=client, middleware=[tracing]),
    ):
        with pytest.raises(JobFailed):
            await (await fails.enqueue(client, "the payload")).result(timeout=20)
        await (await waits.enqueue(client, 1)).result(timeout=20)
    runs = by_name(exporter, f"process {queue_name}")
    told = json.dumps([span.to_json() for span in runs])
    assert "hunter22" not in told
    assert "the payload" not in told
    assert [span.status.status_code for span in runs].count(StatusCode.ERROR) == 1


async def test_errors_that_cannot_be_told(
    client: Client, queue_name: str, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """An error that cannot say what it is about is recorded by its type, and handled as any other."""

    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    tracing, queue = Tracing(provider), Queue(queue_name)

    @queue.task(attempts=1)
    async def fails(number: int) -> None:
        raise Mute

    async with Worker(queue, client=client, middleware=[tracing]):
        with pytest.raises(JobFailed, match="Mute"):
            await (await fails.enqueue(client, 1)).result(timeout=20)
    (run,) = by_name(exporter, f"process {queue_name}")
    assert run.attributes is not None
    assert str(run.attributes["error.type"]).endswith("Mute")


def test_errors_while_adding(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    """What goes wrong while jobs are added is recorded in the same way."""
    queue = Queue("q")

    @queue.task
    async def add(number: int) -> None: ...

    with pytest.raises(ConnectionError), Tracing(provider).enqueueing([add.spec.request(1, {})]):
        raise ConnectionError("redis://:hunter22@host refused")
    (span,) = by_name(exporter, "send q")
    assert span.status.status_code is StatusCode.ERROR
    assert "hunter22" not in span.to_json()
    assert "refused" in span.to_json()


async def test_a_flow(
    redis_url: str, prefix: str, queue_name: str, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """A flow is one span, above the runs of all its jobs; the children that a run adds go on below it."""
    tracing, queue = Tracing(provider), Queue(queue_name)

    @queue.task
    async def leaf(number: int) -> int:
        return number

    @queue.task
    async def root(number: int, ctx: Context) -> int:
        return sum(await ctx.run_children([leaf.node(number + 1)]))

    async with (
        Client(redis_url, prefix=prefix, telemetry=tracing) as client,
        Worker(queue, client=client, middleware=[tracing]),
    ):
        flow = await root.node(1, children=[leaf.node(1)]).enqueue(client)
        assert await flow.result(timeout=20) == 2
        while len(by_name(exporter, f"process {queue_name}")) < 4:
            await asyncio.sleep(0)
    added, more = (context_of(span).span_id for span in by_name(exporter, f"send {queue_name}"))
    first_leaf, first_root, second_leaf, second_root = by_name(exporter, f"process {queue_name}")
    parents = [
        span.parent and span.parent.span_id for span in (first_leaf, first_root, second_leaf, second_root)
    ]
    assert parents == [added, added, more, added]


async def test_many_at_once(
    redis_url: str, prefix: str, queue_name: str, provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """A batch is one span, whose context all its jobs carry, for blocking clients too; options stay what they were."""
    tracing, queue = Tracing(provider), Queue(queue_name, attempts=7)

    @queue.task
    async def count(number: int) -> None:
        """Count."""

    async with Client(redis_url, prefix=prefix, telemetry=tracing) as client:
        await count.enqueue_many(client, [1, 2, 3])
        jobs = await client.queue(queue_name).jobs("waiting")
    (span,) = by_name(exporter, f"send {queue_name}")
    assert span.attributes is not None
    assert span.attributes["messaging.batch.message_count"] == 3
    for job in jobs:
        assert f"{context_of(span).trace_id:032x}-{context_of(span).span_id:016x}" in job.opts.raw["tm"]
        assert job.opts.attempts == 7
    with (
        SyncClient(redis_url, prefix=prefix, telemetry=tracing) as blocking,
        provider.get_tracer("test").start_as_current_span("request") as request,
    ):
        count.enqueue(blocking, 4)
        blocking.queue(queue_name).enqueue("count", 5)
    assert [context_of(span).trace_id for span in by_name(exporter, f"send {queue_name}")[1:]] == [
        request.get_span_context().trace_id
    ] * 2


@pytest.mark.parametrize(
    "tm", [None, 7, "", "{", "[]", '{"traceparent": 1}', '{"traceparent": "00-zz"}', "x" * 10_000]
)
async def test_hostile_contexts(
    redis_url: str,
    prefix: str,
    queue_name: str,
    provider: TracerProvider,
    exporter: InMemorySpanExporter,
    tm: object,
) -> None:
    """What is no trace context begins a trace of its own, and the job runs."""
    import redis.asyncio

    tracing, queue = Tracing(provider), Queue(queue_name)

    @queue.task
    async def count(number: int) -> None:
        """Count."""

    async with Client(redis_url, prefix=prefix) as client, redis.asyncio.Redis.from_url(redis_url) as raw:
        job = await count.enqueue(client, 1)
        await raw.hset(f"{prefix}:{queue_name}:{job.id}", "opts", json.dumps({"tm": tm}))
        async with Worker(queue, client=client, middleware=[tracing]):
            await job.result(timeout=20)
    (run,) = by_name(exporter, f"process {queue_name}")
    assert run.parent is None


def test_a_trace_costs_no_reading_of_options() -> None:
    """Jobs that differ only in their traces share what their options mean to a worker."""
    plain = policy_of(b'{"attempts":3}')
    for number in range(3):
        trace = json.dumps({"traceparent": f"00-{number:032x}-{number:016x}-01"})
        child = f'{{"fpof":true,"parent":{{"id":"{number}","queue":"bull:q"}},"attempts":3}}'
        for opts in ('{"attempts":3}', child):
            assert policy_of(with_trace(opts, trace).encode()) is plain
    assert policy_of(b'{"tm":"{}"}') is policy_of(b"{}")
