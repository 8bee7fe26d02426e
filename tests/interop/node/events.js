'use strict';
// QueueEvents that write down everything they hear, in order, with the id of the stream entry.

const { connectionOptions, reportErrors } = require('./connections');
const { Recording } = require('./waiting');

function eventCommands(connections) {
  const { bullmq } = connections;
  const listeners = new Map();

  // QueueEvents hands every entry of the stream to emit(); the "completed:<id>" repeats of v5 are left out.
  const record = (queueEvents, heard) => {
    const emit = queueEvents.emit.bind(queueEvents);
    const isStreamId = value => typeof value === 'string' && /^\d+-\d+$/.test(value);
    queueEvents.emit = (event, ...args) => {
      // An event without fields ("drained") comes with its id alone.
      const [fields, id] = isStreamId(args[0]) ? [{}, args[0]] : args;
      if (isStreamId(id) && !String(event).includes(':')) heard.push({ event, fields, id });
      return emit(event, ...args);
    };
  };

  const commands = {
    async startEvents({ events, url, prefix, queue, from }) {
      const heard = new Recording();
      const options = { connection: connectionOptions(url), prefix, lastEventId: from || '0-0', autorun: false };
      const queueEvents = reportErrors(new bullmq.QueueEvents(queue, options), `events ${events}`);
      record(queueEvents, heard);
      listeners.set(events, { queueEvents, heard });
      await queueEvents.waitUntilReady();
      queueEvents.run().catch(error => heard.push({ event: 'listener-died', fields: { reason: error.message }, id: '' }));
    },
    events: ({ events }) => listeners.get(events).heard.entries,
    // `event` is a name or a list of names; `jobId` narrows it to one job.
    waitEvents({ events, event, jobId, count, timeout }) {
      const names = [].concat(event);
      const matches = entry => names.includes(entry.event) && (!jobId || entry.fields.jobId === jobId);
      return listeners.get(events).heard.until(matches, count, timeout);
    },
    async waitUntilFinished(args) {
      const job = await connections.job(args);
      const value = await job.waitUntilFinished(listeners.get(args.events).queueEvents, args.timeout);
      return value === undefined ? null : value;
    },
  };
  const close = async () => {
    const closing = [...listeners.values()].map(entry => entry.queueEvents.close());
    listeners.clear();
    await Promise.all(closing);
  };
  return { commands, close };
}

module.exports = { eventCommands };
