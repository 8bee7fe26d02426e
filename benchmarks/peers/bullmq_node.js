// Node's BullMQ with ioredis, the reference. The same command line as the Python programs (see commands.py).
// Fast configuration: concurrency tuned, addBulk in chunks of 1,000. Results: kept, for ever (default).
const fs = require('fs');
const { Queue, Worker } = require('bullmq');

const url = new URL(process.env.BENCH_REDIS);
const connection = { host: url.hostname, port: +url.port, db: +(url.pathname.slice(1) || 0), maxRetriesPerRequest: null };
const gap = (process.env.BENCH_GAP || '0.005,0.015').split(',').map(Number);
const flight = +(process.env.BENCH_FLIGHT || 1);
const log = process.env.BENCH_LOG;

const now = () => { const [s, n] = process.hrtime(); return s + n / 1e9; };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const recorded = () => { try { return Math.floor(fs.statSync(log).size / 20); } catch { return 0; } };

let fd = -1;
const buffer = Buffer.alloc(20);
function record(number) {
  if (fd < 0) fd = fs.openSync(log, 'a');
  buffer.writeUInt32LE(process.pid, 0);
  buffer.writeUInt32LE(0, 4);
  buffer.writeUInt32LE(number, 8);
  buffer.writeDoubleLE(now(), 12);
  fs.writeSync(fd, buffer);
}

async function work(concurrency) {
  const handler = async (job) => { record(job.data.i); return job.data.i; };
  const worker = new Worker('bench', handler, { connection, concurrency, autorun: false });
  worker.on('error', (error) => console.error(error));
  await worker.waitUntilReady();
  console.log('READY');
  while (process.env.BENCH_GO && !fs.existsSync(process.env.BENCH_GO)) await sleep(1);
  await worker.run();
}

async function timed(jobs, pumps, pump) {
  const started = now();
  await Promise.all(Array.from({ length: pumps }, pump));
  return { jobs, seconds: now() - started };
}

const commands = {
  async awaited(queue, jobs) {
    await queue.add('noop', { i: 0 });
    await queue.add('noop', { i: 0 });
    const started = now();
    for (let i = 0; i < jobs; i++) await queue.add('noop', { i });
    return { jobs, seconds: now() - started };
  },
  async bulk(queue, jobs) {
    let next = 0;
    return timed(jobs, flight, async () => {
      while (next < jobs) {
        const chunk = [];
        for (let end = Math.min(next + 1000, jobs); next < end; next++) chunk.push({ name: 'noop', data: { i: next } });
        await queue.addBulk(chunk);
      }
    });
  },
  async concurrent(queue, jobs) {
    let extra = jobs;
    await timed(200, 100, async () => { while (extra < jobs + 200) await queue.add('noop', { i: extra++ }); });
    let next = 0;
    return timed(jobs, 100, async () => { while (next < jobs) await queue.add('noop', { i: next++ }); });
  },
  async latency(queue, jobs, seconds) {
    const began = [];
    const end = now() + seconds;
    for (let i = 0; i < jobs && now() < end; i++) {
      await sleep((gap[0] + Math.random() * (gap[1] - gap[0])) * 1000);
      const before = recorded();
      began.push(now());
      await queue.add('noop', { i });
      while (recorded() === before && now() < end) await sleep(1);
    }
    return { began };
  },
};

(async () => {
  const [command, ...words] = process.argv.slice(2);
  if (command === 'worker') return work(+words[0]);
  const queue = new Queue('bench', { connection });
  await queue.waitUntilReady();
  console.log('RESULT ' + JSON.stringify(await commands[command](queue, ...words.map(Number))));
  await queue.close();
  process.exit(0);
})();
