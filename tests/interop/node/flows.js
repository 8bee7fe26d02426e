'use strict';
// Flows: a tree added at once, and what Node knows of a job's family.

const { connectionOptions, reportErrors } = require('./connections');
const { plainJob } = require('./queues');

function flowCommands(connections) {
  const { bullmq } = connections;
  const producers = new Map();
  const producer = ({ url, prefix }) => {
    const key = JSON.stringify([url, prefix]);
    if (!producers.has(key)) {
      const options = { connection: connectionOptions(url), prefix };
      producers.set(key, reportErrors(new bullmq.FlowProducer(options), 'flow producer'));
    }
    return producers.get(key);
  };
  const plainTree = tree =>
    tree && { job: plainJob(tree.job), children: (tree.children || []).map(child => plainTree(child)) };
  const commands = {
    addFlow: async args => plainTree(await producer(args).add(args.flow)),
    getFlow: async args =>
      plainTree(
        await producer(args).getFlow({
          id: args.jobId, queueName: args.queue, prefix: args.prefix, depth: args.depth || 10, maxChildren: 20,
        }),
      ),
    getDependencies: async args => (await connections.job(args)).getDependencies(),
    getDependenciesCount: async args => (await connections.job(args)).getDependenciesCount(),
    getChildrenValues: async args => (await connections.job(args)).getChildrenValues(),
    removeChildDependency: async args => (await connections.job(args)).removeChildDependency(),
  };
  const close = async () => {
    const closing = [...producers.values()].map(made => made.close());
    producers.clear();
    await Promise.all(closing);
  };
  return { commands, close };
}

module.exports = { flowCommands };
