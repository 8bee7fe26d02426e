'use strict';
// One Node program with OpenTelemetry on: it adds a job, or runs one, and prints the spans that came of it as JSON.
//
//   node telemetry.js add|run URL PREFIX QUEUE

const { Queue, Worker } = require('bullmq-6-7');
const { BullMQOtel } = require('bullmq-otel');
const api = require('@opentelemetry/api');
const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-base');
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks');
const { W3CTraceContextPropagator } = require('@opentelemetry/core');

const [verb, url, prefix, queue] = process.argv.slice(2);
const exporter = new InMemorySpanExporter();
api.trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
);
api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());

const options = { connection: { url }, prefix, telemetry: new BullMQOtel('node') };

async function add() {
  const producer = new Queue(queue, options);
  await producer.add('greet', 'Ada', { jobId: 'from-node' });
  await producer.close();
}

async function run() {
  const worker = new Worker(queue, async () => 'done', options);
  await new Promise(resolve => worker.on('completed', resolve));
  await worker.close();
}

({ add, run })[verb]().then(() => {
  const spans = exporter.getFinishedSpans().map(span => ({
    name: span.name,
    trace: span.spanContext().traceId,
    span: span.spanContext().spanId,
    parent: span.parentSpanContext && span.parentSpanContext.spanId,
  }));
  process.stdout.write(JSON.stringify(spans) + '\n', () => process.exit(0));
});
