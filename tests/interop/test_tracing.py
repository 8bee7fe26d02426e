"""One trace over both: a Node producer and a Corral worker, a Corral producer and a Node worker."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext

from corral import Client, Queue, Worker
from corral.instrumentation.opentelemetry import Tracing
from tests.interop.bullmq import PROJECT


async def in_node(verb: str, url: str, prefix: str, queue: str) -> list[dict[str, Any]]:
    """Let Node add or run a job; the spans that it made of it."""
    process = await asyncio.create_subprocess_exec(
        "node", "telemetry.js", verb, url, prefix, queue, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    spans: list[dict[str, Any]] = json.loads(output)
    return spans


def traced() -> tuple[Tracing, InMemorySpanExporter]:
    """Tracing of a test's own, and where its spans go."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracing(provider), exporter


def context_of(span: ReadableSpan) -> SpanContext:
    """Its ids."""
    found = span.get_span_context()
    assert found is not None
    return found


async def test_node_adds_and_corral_runs(home_url: str, redis_url: str, prefix: str, queue_name: str) -> None:
    """The run is a span below the one in which Node added the job."""
    tracing, exporter = traced()
    queue = Queue(queue_name)

    @queue.task
    async def greet(name: str) -> str:
        return f"hello {name}"

    (added,) = [
        span for span in await in_node("add", home_url, prefix, queue_name) if span["name"].startswith("add")
    ]
    async with Client(redis_url, prefix=prefix) as client, Worker(queue, client=client, middleware=[tracing]):
        await client.queue(queue_name).job("from-node").result(timeout=20)
    (run,) = exporter.get_finished_spans()
    assert f"{context_of(run).trace_id:032x}" == added["trace"]
    assert run.parent is not None
    assert f"{run.parent.span_id:016x}" == added["span"]


async def test_corral_adds_and_node_runs(home_url: str, redis_url: str, prefix: str, queue_name: str) -> None:
    """Node's span of the run is below the one in which Corral added the job."""
    tracing, exporter = traced()
    async with Client(redis_url, prefix=prefix, telemetry=tracing) as client:
        await client.queue(queue_name).enqueue("greet", "Ada")
    (sent,) = exporter.get_finished_spans()
    spans = await in_node("run", home_url, prefix, queue_name)
    (run,) = [span for span in spans if span["name"].startswith("process")]
    assert run["trace"] == f"{context_of(sent).trace_id:032x}"
    assert run["parent"] == f"{context_of(sent).span_id:016x}"
