'use strict';
// A real Bull Board on the queues that its arguments name: node board.js URL PREFIX QUEUE…
// It prints the port that it listens on, on loopback, and ends with its stdin.

const express = require('express');
const { createBullBoard } = require('@bull-board/api');
const { BullMQAdapter } = require('@bull-board/api/bullMQAdapter');
const { ExpressAdapter } = require('@bull-board/express');
const { Queue } = require('bullmq');
const { connectionOptions } = require('./connections');

const [url, prefix, ...names] = process.argv.slice(2);
const queues = names.map(name => new Queue(name, { connection: connectionOptions(url), prefix }));
const serverAdapter = new ExpressAdapter();
createBullBoard({ queues: queues.map(queue => new BullMQAdapter(queue)), serverAdapter });

const app = express();
app.use('/', serverAdapter.getRouter());
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.resume().on('end', () => process.exit(0));
