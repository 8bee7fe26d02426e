'use strict';
// What operators do to many jobs and to limits, and events of one's own.

const { connectionOptions } = require('./connections');

function operatorCommands(connections) {
  const { bullmq } = connections;
  const queue = args => connections.queue(args);

  // For one call: a QueueEventsProducer or the like on the queue's server and prefix.
  const using = async (args, make, act) => {
    const made = make({ connection: connectionOptions(args.url), prefix: args.prefix });
    try {
      return await act(made);
    } finally {
      await made.close();
    }
  };

  const commands = {
    retryJobs: async args => queue(args).retryJobs(args.opts || {}),
    promoteJobs: async args => queue(args).promoteJobs(args.opts || {}),
    removeWithChildren: async args => (await connections.job(args)).remove({ removeChildren: true }),
    removeAlone: async args => (await connections.job(args)).remove({ removeChildren: false }),
    removeUnprocessedChildren: async args => (await connections.job(args)).removeUnprocessedChildren(),
    clearLogs: async args => (await connections.job(args)).clearLogs(args.keep),
    setGlobalConcurrency: async args => queue(args).setGlobalConcurrency(args.concurrency),
    setGlobalRateLimit: async args => queue(args).setGlobalRateLimit(args.max, args.duration),
    getRateLimitTtl: async args => queue(args).getRateLimitTtl(args.max),
    removeDeduplicationKey: async args => queue(args).removeDeduplicationKey(args.deduplicationId),
    removeGlobalConcurrency: async args => queue(args).removeGlobalConcurrency(),
    removeGlobalRateLimit: async args => queue(args).removeGlobalRateLimit(),
    rateLimit: async args => queue(args).rateLimit(args.ms),
    removeRateLimitKey: async args => queue(args).removeRateLimitKey(),
    getLimits: async args => ({
      concurrency: await queue(args).getGlobalConcurrency(),
      rate: await queue(args).getGlobalRateLimit(),
      ttl: await queue(args).getRateLimitTtl(args.max),
    }),
    trimEvents: async args => queue(args).trimEvents(args.count),
    publishEvent: args =>
      using(
        args,
        options => new bullmq.QueueEventsProducer(args.queue, options),
        producer => producer.publishEvent(args.event),
      ),
  };
  return { commands, close: async () => {} };
}

module.exports = { operatorCommands };
