'use strict';
// One BullMQ version behind a line protocol, so that tests written in Python can drive it.
//
//   node driver.js 6-7        requests on stdin, replies on stdout, one JSON document per line
//
//   → {"id": 1, "command": "add", "args": {"url": "…", "prefix": "bull", "queue": "q", "name": "n", "data": {}}}
//   ← {"id": 1, "result": {...}}   or   {"id": 1, "error": {"name": "Error", "message": "…"}}
//
// Commands run concurrently: one that waits does not hold up the next. The process ends with its stdin.

const readline = require('node:readline');
const { Connections } = require('./connections');
const { queueCommands } = require('./queues');
const { operatorCommands } = require('./operators');
const { workerCommands } = require('./workers');
const { manualCommands } = require('./manual');
const { eventCommands } = require('./events');
const { flowCommands } = require('./flows');
const { clockCommands } = require('./clock');

const version = process.argv[2];
const bullmq = require(`bullmq-${version}`);
const connections = new Connections(bullmq);
const parts = [
  queueCommands, operatorCommands, workerCommands, manualCommands, eventCommands, flowCommands,
  clockCommands,
].map(part => part(connections));
const commands = Object.assign({ version: () => version }, ...parts.map(part => part.commands));

// What a test leaves open is closed here, so that one process can serve a whole session of tests.
commands.closeAll = async () => {
  await Promise.all(parts.map(part => part.close()));
  await connections.close();
};

function reply(message) {
  process.stdout.write(JSON.stringify(message) + '\n');
}

async function handle(line) {
  const { id, command, args } = JSON.parse(line);
  try {
    if (!commands[command]) throw new Error(`the driver has no command "${command}"`);
    const result = await commands[command](args || {});
    reply({ id, result: result === undefined ? null : result });
  } catch (error) {
    reply({ id, error: { name: error.name, message: String(error.message), code: error.code } });
  }
}

process.on('unhandledRejection', error => process.stderr.write(`unhandled: ${error && error.stack}\n`));
const input = readline.createInterface({ input: process.stdin });
input.on('line', handle);
input.on('close', () => process.exit(0));
