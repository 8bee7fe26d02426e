'use strict';
// Real BullMQ workers whose processor does what the job's data says.
//
// data.script is a list of steps; the n-th start of the job follows the n-th step, and the last one repeats.
// tests/interop/corral_worker.py follows the same script, so that either side may run any job.
//
//   {"do": "return", "value": …} {"do": "throw", "message": …} {"do": "unrecoverable", "message": …}
//   {"do": "limit", "ms": …}
//   {"do": "snooze", "ms": …}    {"do": "gate", "gate": …}     {"do": "hang"}
//   {"do": "children", "children": [{"queue": …, "name": …, "data": …}]} {"do": "values"} (Node only)
//   each may also have "progress": … and "log": …, done first.

const { connectionOptions, reportErrors } = require('./connections');
const { Recording } = require('./waiting');

// Doors that a test opens by name, so that a job can be kept active exactly as long as the test wants.
class Gates {
  constructor() {
    this.gates = new Map();
  }

  gate(name) {
    if (!this.gates.has(name)) {
      let open;
      const opened = new Promise(resolve => (open = resolve));
      this.gates.set(name, { opened, open });
    }
    return this.gates.get(name);
  }
}

function scriptedProcessor(bullmq, gates, ran, holdOff, queue) {
  const outcomes = {
    return: step => step.value,
    throw: step => {
      throw new Error(step.message);
    },
    unrecoverable: step => {
      throw new bullmq.UnrecoverableError(step.message);
    },
    snooze: async (step, job, token) => {
      await job.moveToDelayed(Date.now() + step.ms, token);
      throw new bullmq.DelayedError();
    },
    gate: async step => {
      await gates.gate(step.gate).opened;
      return step.value;
    },
    hang: () => new Promise(() => {}),
    limit: async step => {
      await holdOff(step.ms);
      throw bullmq.Worker.RateLimitError();
    },
    // Children of this job, added while it runs; then it waits for them.
    children: async (step, job, token) => {
      for (const child of step.children) {
        const parent = { id: job.id, queue: job.queueQualifiedName };
        await queue(child.queue).add(child.name, child.data, { ...child.opts, parent });
      }
      if (await job.moveToWaitingChildren(token)) throw new bullmq.WaitingChildrenError();
      return outcomes.values(step, job); // they have ended meanwhile
    },
    values: async (step, job) => Object.values(await job.getChildrenValues()).sort(),
  };
  return async (job, token) => {
    ran.push({ id: job.id, name: job.name, data: job.data, attemptsStarted: job.attemptsStarted, at: Date.now() });
    const script = (job.data && job.data.script) || [{ do: 'return', value: null }];
    const step = script[Math.min(job.attemptsStarted, script.length) - 1];
    if ('progress' in step) await job.updateProgress(step.progress);
    if ('log' in step) await job.log(step.log);
    return outcomes[step.do](step, job, token);
  };
}

function workerCommands(connections) {
  const { bullmq } = connections;
  const workers = new Map();
  const gates = new Gates();
  const close = async force => {
    const closing = [...workers.values()].map(entry => entry.worker.close(force));
    workers.clear();
    await Promise.all(closing);
  };
  const commands = {
    async startWorker({ worker, url, prefix, queue, opts }) {
      const ran = new Recording();
      const events = new Recording();
      const holdOff = ms => connections.queue({ url, prefix, queue }).rateLimit(ms);
      const named = name => connections.queue({ url, prefix, queue: name });
      const processor = scriptedProcessor(bullmq, gates, ran, holdOff, named);
      const options = { connection: connectionOptions(url), prefix, drainDelay: 1, ...opts };
      const made = reportErrors(new bullmq.Worker(queue, processor, options), `worker ${worker}`);
      made.on('completed', job => events.push({ event: 'completed', jobId: job.id }));
      made.on('failed', (job, error) => events.push({ event: 'failed', jobId: job && job.id, reason: error.message }));
      made.on('stalled', jobId => events.push({ event: 'stalled', jobId }));
      made.on('error', error => events.push({ event: 'error', reason: error.message }));
      workers.set(worker, { worker: made, ran, events });
      await made.waitUntilReady();
    },
    async stopWorker({ worker, force }) {
      const entry = workers.get(worker);
      workers.delete(worker);
      await entry.worker.close(force);
      return { ran: entry.ran.entries, events: entry.events.entries };
    },
    workerRan: ({ worker }) => workers.get(worker).ran.entries,
    workerEvents: ({ worker }) => workers.get(worker).events.entries,
    waitRan: ({ worker, count, timeout }) => workers.get(worker).ran.until(() => true, count, timeout),
    waitWorker: ({ worker, event, count, timeout }) =>
      workers.get(worker).events.until(entry => entry.event === event, count, timeout),
    openGate: ({ gate }) => gates.gate(gate).open(),
  };
  return { commands, close: () => close(true) };
}

module.exports = { workerCommands };
