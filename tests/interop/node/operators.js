'use strict';
// What operators do to many jobs, to schedulers, trees and limits.

const { connectionOptions } = require('./connections');
const { plainJob } = require('./queues');

function plainTree(node) {
  return node && { job: plainJob(node.job), children: (node.children || []).map(plainTree) };
}

function operatorCommands(connections) {
  const { bullmq } = connections;
  const queue = args => connections.queue(args);

  // For one call: a FlowProducer, QueueEventsProducer, … on the queue's server and prefix.
  const using = async (args, make, act) => {
    const made = make({ connection: connectionOptions(args.url), prefix: args.prefix });
    try {
      return await act(made);
    } finally {
      await made.close();
    }
  };
  const flows = options => new bullmq.FlowProducer(options);

  const commands = {
    retryJobs: async args => queue(args).retryJobs(args.opts || {}),
    promoteJobs: async args => queue(args).promoteJobs(args.opts || {}),
    removeWithChildren: async args => (await connections.job(args)).remove({ removeChildren: true }),
    removeUnprocessedChildren: async args => (await connections.job(args)).removeUnprocessedChildren(),
    clearLogs: async args => (await connections.job(args)).clearLogs(args.keep),
    setGlobalConcurrency: async args => queue(args).setGlobalConcurrency(args.concurrency),
    setGlobalRateLimit: async args => queue(args).setGlobalRateLimit(args.max, args.duration),
    getDependencies: async args => (await connections.job(args)).getDependencies(),
    getChildrenValues: async args => (await connections.job(args)).getChildrenValues(),
    addFlow: args => using(args, flows, async producer => plainTree(await producer.add(args.flow))),
    getFlow: args =>
      using(args, flows, async producer =>
        plainTree(await producer.getFlow({ id: args.jobId, queueName: args.queue, prefix: args.prefix })),
      ),
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
