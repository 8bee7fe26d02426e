'use strict';
// The single steps of a worker, one at a time: take a job with a token, then say what became of it.
// For the differential tests, in which every step must happen exactly where the test says.

const { connectionOptions, reportErrors } = require('./connections');
const { plainJob } = require('./queues');

function manualCommands(connections) {
  const { bullmq } = connections;
  const workers = new Map();
  const held = new Map();

  const key = ({ url, prefix, queue }) => JSON.stringify([url, prefix, queue]);
  const stepper = args => {
    if (!workers.has(key(args))) {
      const options = { connection: connectionOptions(args.url), prefix: args.prefix, autorun: false, ...args.opts };
      const worker = reportErrors(new bullmq.Worker(args.queue, null, options), 'stepper');
      const stalled = [];
      worker.on('stalled', jobId => stalled.push(jobId));
      workers.set(key(args), { worker, stalled });
    }
    return workers.get(key(args));
  };
  const hold = (args, job, token) => {
    if (job) held.set(key(args) + job.id, { job, token });
    return plainJob(job);
  };
  const taken = args => {
    const entry = held.get(key(args) + args.jobId);
    if (!entry) throw new Error(`job ${args.jobId} was not taken here`);
    return { job: entry.job, token: args.token || entry.token };
  };
  // The job that came along with an outcome, if it was asked for and there was one: a worker then makes the next
  // iteration of its schedule.
  const next = async (args, reply, token) => {
    if (!args.fetchNext || !Array.isArray(reply) || !reply[0] || !reply[1]) return null;
    const [fields, jobId] = reply;
    return hold(args, await stepper(args).worker.nextJobFromJobData(fields, jobId, token), token);
  };

  const commands = {
    openStepper: async args => void (await stepper(args).worker.waitUntilReady()),
    async claim(args) {
      const { worker } = stepper(args);
      worker.limitUntil = 0; // it would not ask before a rate limit ends
      return hold(args, await worker.getNextJob(args.token, { block: false }), args.token);
    },
    async moveToCompleted(args) {
      const { job, token } = taken(args);
      return next(args, await job.moveToCompleted(args.value, token, Boolean(args.fetchNext)), token);
    },
    async moveToFailed(args) {
      const { job, token } = taken(args);
      const error = args.unrecoverable ? new bullmq.UnrecoverableError(args.message) : new Error(args.message);
      return next(args, await job.moveToFailed(error, token, Boolean(args.fetchNext)), token);
    },
    async moveToDelayed(args) {
      const { job, token } = taken(args);
      await job.moveToDelayed(Date.now() + args.ms, token);
    },
    async moveToWaitingChildren(args) {
      const { job, token } = taken(args);
      return job.moveToWaitingChildren(token);
    },
    async moveToWait(args) {
      const { job, token } = taken(args);
      await job.moveToWait(token);
    },
    async extendLock(args) {
      const { job, token } = taken(args);
      return job.extendLock(token, args.ms);
    },
    async stalledCheck(args) {
      const { worker, stalled } = stepper(args);
      const before = stalled.length;
      await worker.moveStalledJobsToWait();
      return stalled.slice(before);
    },
  };
  const close = async () => {
    const closing = [...workers.values()].map(entry => entry.worker.close(true));
    workers.clear();
    held.clear();
    await Promise.all(closing);
  };
  return { commands, close };
}

module.exports = { manualCommands };
