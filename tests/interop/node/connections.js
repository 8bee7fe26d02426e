'use strict';
// One shared connection per server, and the Queue objects on it.

const { default: IORedis } = require('ioredis');

// A connection to the nodes of `url` (redis+cluster://host:port,host:port).
function clusterConnection(url) {
  const nodes = url.slice('redis+cluster://'.length).split(',').map(place => {
    const [host, port] = place.split(':');
    return { host, port: Number(port) };
  });
  return reportErrors(new IORedis.Cluster(nodes, { redisOptions: { maxRetriesPerRequest: null } }), url);
}

// What BullMQ takes as `connection` for `url`: options (redis:// or unix://), or a cluster's connection.
function connectionOptions(url) {
  if (url.startsWith('redis+cluster:')) return clusterConnection(url);
  const parsed = new URL(url);
  const db = Number(parsed.searchParams.get('db') || 0);
  const options = { maxRetriesPerRequest: null };
  if (parsed.protocol === 'unix:') return { ...options, path: parsed.pathname, db };
  return {
    ...options,
    host: parsed.hostname,
    port: Number(parsed.port || 6379),
    username: parsed.username ? decodeURIComponent(parsed.username) : undefined,
    password: parsed.password ? decodeURIComponent(parsed.password) : undefined,
    db: Number(parsed.pathname.slice(1) || db),
  };
}

// An EventEmitter without a listener for "error" ends the process; here errors are only reported.
function reportErrors(emitter, what) {
  emitter.on('error', error => process.stderr.write(`${what}: ${error && error.message}\n`));
  return emitter;
}

class Connections {
  constructor(bullmq) {
    this.bullmq = bullmq;
    this.servers = new Map();
    this.queues = new Map();
  }

  server(url) {
    if (!this.servers.has(url)) {
      const options = connectionOptions(url);
      const made = options instanceof IORedis.Cluster ? options : reportErrors(new IORedis(options), url);
      this.servers.set(url, made);
    }
    return this.servers.get(url);
  }

  queue({ url, prefix, queue, queueOptions }) {
    const key = JSON.stringify([url, prefix, queue]);
    if (!this.queues.has(key)) {
      const options = { connection: this.server(url), prefix, ...queueOptions };
      this.queues.set(key, reportErrors(new this.bullmq.Queue(queue, options), `queue ${queue}`));
    }
    return this.queues.get(key);
  }

  async job(args) {
    const job = await this.bullmq.Job.fromId(this.queue(args), args.jobId);
    if (!job) throw new Error(`there is no job ${args.jobId}`);
    return job;
  }

  async close() {
    await Promise.all([...this.queues.values()].map(queue => queue.close()));
    this.queues.clear();
    for (const server of this.servers.values()) server.disconnect();
    this.servers.clear();
  }
}

module.exports = { Connections, connectionOptions, reportErrors };
