'use strict';
// What producers and operators do: add, look, change, remove.

// All that Node knows of a job after Job.fromId, in plain JSON.
function plainJob(job) {
  if (!job) return null;
  const { attemptsStarted, stalledCounter, processedBy, deduplicationId, deferredFailure } = job;
  return { ...job.toJSON(), attemptsStarted, stalledCounter, processedBy, deduplicationId, deferredFailure };
}

function queueCommands(connections) {
  const queue = args => connections.queue(args);
  const commands = {
    openQueue: async args => void (await queue(args).waitUntilReady()),
    add: async args => plainJob(await queue(args).add(args.name, args.data, args.opts)),
    addBulk: async args => (await queue(args).addBulk(args.jobs)).map(plainJob),
    getJob: async args => plainJob(await queue(args).getJob(args.jobId)),
    getJobs: async args =>
      (await queue(args).getJobs(args.types, args.start, args.end, args.asc)).map(plainJob),
    getState: async args => (await connections.job(args)).getState(),
    getJobCounts: async args => queue(args).getJobCounts(...(args.types || [])),
    getJobLogs: async args => queue(args).getJobLogs(args.jobId),
    getWorkers: async args => queue(args).getWorkers(),
    getMetrics: async args => queue(args).getMetrics(args.type),
    getDeduplicationJobId: async args => queue(args).getDeduplicationJobId(args.deduplicationId),
    pause: async args => queue(args).pause(),
    resume: async args => queue(args).resume(),
    isPaused: async args => queue(args).isPaused(),
    drain: async args => queue(args).drain(args.delayed),
    obliterate: async args => queue(args).obliterate({ force: true }),
    removeOrphanedJobs: async args => queue(args).removeOrphanedJobs(),
    clean: async args => queue(args).clean(args.grace, args.limit, args.state),
    remove: async args => (await connections.job(args)).remove(),
    promote: async args => (await connections.job(args)).promote(),
    retry: async args => (await connections.job(args)).retry(args.state),
    updateProgress: async args => (await connections.job(args)).updateProgress(args.progress),
    updateData: async args => (await connections.job(args)).updateData(args.data),
    log: async args => (await connections.job(args)).log(args.row),
    changePriority: async args => (await connections.job(args)).changePriority(args.opts),
    upsertJobScheduler: async args =>
      plainJob(await queue(args).upsertJobScheduler(args.scheduler, args.repeat, args.template)),
    removeJobScheduler: async args => queue(args).removeJobScheduler(args.scheduler),
    getJobScheduler: async args => (await queue(args).getJobScheduler(args.scheduler)) || null,
    getJobSchedulers: async args => queue(args).getJobSchedulers(args.start, args.end, args.asc),
    getJobSchedulersCount: async args => queue(args).getJobSchedulersCount(),
    getCountsPerPriority: async args => queue(args).getCountsPerPriority(args.priorities),
    changeDelay: async args => (await connections.job(args)).changeDelay(args.delay),
  };
  return { commands, close: async () => {} };
}

module.exports = { queueCommands, plainJob };
