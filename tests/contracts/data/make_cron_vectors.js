// Asks the cron-parser of BullMQ 6.7 when patterns run next, the way BullMQ asks it (a fresh parse for every run), and
// writes its answers to cron_vectors.json:
//
//     node tests/contracts/data/make_cron_vectors.js
//
// Needs the npm packages of tests/interop (`make interop`). Nothing here is random: the same packages give the same file.
'use strict';
const fs = require('fs');
const path = require('path');

const MODULES = path.join(__dirname, '../../interop/node/node_modules');
const PARSER = path.join(MODULES, 'bullmq-6-7/node_modules/cron-parser');
const { CronExpressionParser } = require(PARSER);

// Per zone: what the clocks do there. Found below, for these years.
const YEARS = [2024, 2025];
const ZONES = [
  'Europe/Berlin', // 2:00 -> 3:00, 3:00 -> 2:00
  'America/New_York', // 2:00 -> 3:00, 2:00 -> 1:00
  'America/Santiago', // 24:00 -> 1:00, 24:00 -> 23:00
  'America/Havana', // 0:00 -> 1:00, 1:00 -> 0:00
  'Africa/Cairo', // 0:00 -> 1:00, 24:00 -> 23:00
  'Australia/Lord_Howe', // by half an hour
];
// From each change: start so many seconds from it, and take so many runs in a row.
const STARTS = [[-90000, 3], [-5400, 1], [-599.5, 1], [0, 1], [1200, 1]];
// In UTC nothing changes, but leap days, ends of months and weeks do their part.
const PLAIN = ['2023-12-31T23:59:59.000Z', '2024-02-28T12:34:56.789Z', '2025-06-15T00:00:00.000Z', '2100-02-27T00:00:01.000Z'];
const PLAIN_STARTS = [[0, 5]];

const CURATED = `
* * * * *|*/5 * * * *|0 * * * *|30 * * * *|0,30 * * * *|15,45 * * * *|0 0 * * *|30 0 * * *|59 23 * * *|0 1 * * *
30 1 * * *|0 2 * * *|30 2 * * *|15 2 * * *|0 3 * * *|30 3 * * *|0 12 * * *|0 0 1 * *|0 0 15 * *|0 0 31 * *
0 0 30 * *|0 0 29 2 *|0 0 29 * *|0 0 28-31 * *|0 0 L * *|30 2 L * *|0 0 1,L * *|0 12 15,L * *|0 0 L 2 *|0 0 L 2,4,6 *
0 0 * * 0|0 0 * * 7|0 0 * * 1|0 0 * * 1-5|0 0 * * 5-7|0 0 * * 0-6|0 0 * * 1-7|0 0 * * 6,0|0 0 * * 0L|0 0 * * 1L
0 0 * * 5L|30 2 * * 7L|0 0 * * 1L,5L|0 0 * * 1,5L|0 0 * * 1#1|0 0 * * 0#2|30 2 * * 0#2|0 2 * * 7#5|0 0 * * 5#3|0 0 * * 4#5
0 0 13 * 5|0 0 1 * 1|0 0 1,15 * 3|0 0 31 4 5|0 0 1-7 * 1|0 0 */2 * *|0 0 */2 * 1|0 0 */1 * 1|0 0 2-30/7 * *|0 0 ? * *
0 0 * * ?|0 0 ? * 1|0 0 1 * ?|0 0 * 1 *|0 0 * 1,7 *|0 0 1 1 *|0 0 31 12 *|0 0 1 */3 *|0 0 1 1-6/2 *|0 0 1 jan *
0 0 1 JAN,jul *|0 0 * mar-may *|0 0 1 Oct-Dec/2 *|0 0 * * mon|0 0 * * MON-FRI|0 0 * * sun,Sat|0 0 * * sun#1|0 0 * * friL|0 9 * * mon-fri/2|0 0 * mar,nov sun
*/10 0 * * *|*/10 1 * * *|*/10 2 * * *|*/10 3 * * *|*/20 1-3 * * *|0 0-3 * * *|30 0-3 * * *|0 1,2 * * *|0 2,3 * * *|30 2,3 * * *
0 */2 * * *|30 */2 * * *|0 1-23/2 * * *|30 1-23/2 * * *|0 */3 * * *|0 */4 * * *|0 */6 * * *|0 */8 * * *|0 */12 * * *|0 0-23 * * *
30 0-22 * * *|0 1-23 * * *|15 2-23 * * *|0 0,12 * * *|0 23 * * *|30 23 * * *|0 0,23 * * *|45 23,0 * * *|59 1 * * *|0 0-11 * * *
* 0 * * *|* 1 * * *|* 2 * * *|* 3 * * *|* 1-2 * * *|* 23 * * *|45 1 * * *|45 2 * * *|45 3 * * *|1 2 * * *
* * * * * *|*/10 * * * * *|0 * * * * *|30 * * * * *|15,45 * * * * *|0 0 * * * *|30 30 * * * *|0 0 0 * * *|30 0 0 * * *|59 59 23 * * *
0 30 2 * * *|30 30 2 * * *|*/15 30 1 * * *|*/20 */20 1-2 * * *|* 59 1 * * *|* * 2 * * *|* 0 3 * * *|59 59 1 * * *|0 0 2 * * 0|0 30 1 * * sun
0 0 0 1 1 *|0 0 0 29 2 *|0 0 12 ? * 5#2|0 0 12 L * ?|0 15 10 ? * 6L|0 15 10 15 * ?|0 11 11 11 11 ?|0 0/5 14 * * ?|0 0-5 14 * * ?|0 0 8-18/2 ? * 1-5
@yearly|@annually|@monthly|@weekly|@daily|@hourly|@minutely|@secondly|@weekdays|@weekends
5/15 * * * *|5/20 2 * * *|0 2/4 * * *|0 0 5/10 * *|0 0 1 2/5 *|0 0 * * 1/2|0 0 * * 0/3|0 0 * * 2-7/5|0 0 * * 0-7|0 0 * * 0-7/7
00 02 * * *|07 1 01 01 *|  0   2  * * *  |0\t3\t*\t*\t*|0-0 2-2 * * *|*/100 2 * * *|*/59 1,2 * * *|0 0 1-31 * 1|0 0 * 2 1#5|0 0 29 2 1
5* 2 * * *|1-20-7 1 * * *|0-*/7 * * * *|*-5 2 * * *|0 0 5L * *|0 0 * * 15L|0 0 * * 5L#2|0 0 ?/9 * *|0 0 * * */3|0 0 * * *#2
`.trim().split(/[|\n]/);

const BAD = `
    |x|* * * * * * *|@reboot|@Daily|@every 5m|60 * * * *|* 24 * * *|* * 0 * *|* * 32 * *|* * * 0 *|* * * 13 *|* * * * 8|-1 * * * *|* -5 * * *|5- * * * *
1,,2 * * * *|,1 * * * *|1, * * * *|*/0 * * * *|*/-5 * * * *|*/ * * * *|/5 * * * *|*/x * * * *|1/2/3 * * * *|10-5 * * * *|22-2 * * * *|* 22-6 * * *|* * 28-2 * *|* * * nov-feb *|* * * * fri-mon|* * * * 6-0
0 0 31 2 *|0 0 30 2 *|0 0 30-31 feb *|0 0 31 4 *|0 0 31 jun *|* * * * L|* * * * 1,L|* * * * L#2|* * L-3 * *|* * LW * *|* * 15W * *|* * W * *|* * * L *|L * * * *|* L * * *|* * * * L5
* * * * 1#0|* * * * 1#6|* * * * 1#|* * * * #2|* * * * 1#2,3#2|* * * * 1-5#2|* * * * 1#2#3|* * * * 1#x|* * 1#2 * *|1#2 * * * *|* * * foo *|* * * * foo|* * * januar *|* * * * monday|mon * * * *|* jan * * *
0,0 * * * *|1-5,3 * * * *|* 2,02 * * *|* * 1,1 * *|* * * 1,jan *|* * * * 0,7|* * * * 5-7,0|* * * * 1-5,mon|* * L,L * *|* * * * 5L,5L|* * * * */7,0|1.5 * * * *|1;2 * * * *|1 - 5 * * * *|% * * * *|0x5 * * * *
1e1 * * * *|+5 * * * *|５ * * * *|*5 * * * *|** * * * *|*,* * * * *|5-* * * * *|0 0 * * * mon tue|every day|daily|* * * * *;|99999999999 * * * *|1-99999999999 * * * *|* * * * mon#fri|* * ?* * *|? ? ? ? ? ? ?
`.split(/[|\n]/).filter(Boolean).concat(['0 '.repeat(600) + '*', Array(300).fill('1').join(',') + ' * * * *']);

// A small generator of numbers that are the same on every machine.
let seed = 20240331;
const random = () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648; };
const pick = (list) => list[Math.floor(random() * list.length)];
const between = (low, high) => low + Math.floor(random() * (high - low + 1));

function field(low, high, wild, favoured) {
  const one = () => (favoured && random() < 0.6 ? pick(favoured) : between(low, high));
  const range = () => [one(), one()].sort((a, b) => a - b).join('-');
  if (random() < wild) return '*';
  return pick([one, one, one, range, () => `*/${between(1, Math.ceil((high - low) / 2))}`, () => `${range()}/${between(1, 5)}`,
    () => `${one()},${one()}`, () => `${one()},${range()}`, () => `${one()}/${between(2, 9)}`])();
}

function day() {
  const text = field(1, 31, 0.6);
  return random() < 0.1 ? pick(['L', `${between(1, 28)},L`, '?']) : text;
}

function weekday() {
  const text = field(0, 7, 0.6, [0]);
  return random() < 0.2 ? pick([`${between(0, 7)}L`, `${between(0, 7)}#${between(1, 5)}`, 'sun', 'sat,sun', '?', 'mon-fri']) : text;
}

function made() {
  const fields = [field(0, 59, 0.1, [0, 15, 30, 45, 59]), field(0, 23, 0.15, [0, 1, 2, 3, 23]), day(),
    random() < 0.75 ? '*' : field(1, 12, 0, [3, 4, 9, 10, 11]), weekday()];
  if (random() < 0.3) fields.unshift(field(0, 59, 0.2, [0, 30]));
  return fields.join(' ');
}

// --- the clock changes -----------------------------------------------------------------------------------

function offsetOf(zone) {
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric',
    day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' });
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
    return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - ms;
  };
}

function changesOf(zone) {
  const offset = offsetOf(zone);
  const changes = [];
  const end = Date.UTC(YEARS[1] + 1, 0, 1);
  for (let hour = Date.UTC(YEARS[0], 0, 1); hour < end; hour += 3600e3) {
    if (offset(hour) === offset(hour + 3600e3)) continue;
    let [before, after] = [hour, hour + 3600e3];
    while (after - before > 1000) {
      const middle = Math.floor((before + after) / 2000) * 1000;
      if (offset(middle) === offset(before)) before = middle; else after = middle;
    }
    changes.push(after);
  }
  return changes;
}

// --- the answers -----------------------------------------------------------------------------------------

const next = (pattern, tz, ms) => CronExpressionParser.parse(pattern, { tz, currentDate: new Date(ms) }).next().getTime();

// The runs of one chain, each in seconds since the one before it, to the base of 36; "-" where cron-parser gives up.
function chain(pattern, tz, start, count) {
  const steps = [];
  let now = start;
  for (let index = 0; index < count; index++) {
    let run;
    try { run = next(pattern, tz, now); } catch { steps.push('-'); break; }
    steps.push(((run - Math.floor(now / 1000) * 1000) / 1000).toString(36));
    now = run;
  }
  return steps.join(' ');
}

function main() {
  const zones = Object.fromEntries(ZONES.map((zone) => [zone, { around: changesOf(zone), starts: STARTS }]));
  zones.UTC = { around: PLAIN.map((text) => Date.parse(text)), starts: PLAIN_STARTS };
  const patterns = new Set(CURATED);
  const bad = new Map();
  const accepted = (pattern) => {
    try { CronExpressionParser.parse(pattern, {}); return true; } catch (error) { bad.set(pattern, error.message); return false; }
  };
  for (const pattern of CURATED) if (!accepted(pattern)) throw new Error(`refused: ${pattern}`);
  const surprising = BAD.filter((pattern) => accepted(pattern));
  while (patterns.size < 400) {
    const pattern = made();
    if (accepted(pattern)) patterns.add(pattern);
  }
  const answers = new Map();
  const vectors = {};
  for (const pattern of patterns) {
    vectors[pattern] = Object.entries(zones).map(([zone, { around, starts }]) => around.map((change) => {
      const answer = starts.map(([offset, count]) => chain(pattern, zone, change + offset * 1000, count)).join(',');
      if (!answers.has(answer)) answers.set(answer, answers.size);
      return answers.get(answer);
    }));
  }
  const { version } = JSON.parse(fs.readFileSync(path.join(PARSER, 'package.json')));
  const lines = (entries) => entries.map((entry) => JSON.stringify(entry)).join(',\n');
  const members = (object) => Object.entries(object).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',\n');
  fs.writeFileSync(path.join(__dirname, 'cron_vectors.json'), `{"parser":"cron-parser ${version}","zone_data":"${process.versions.tz}",
"zones":{\n${members(zones)}},
"vectors":{\n${members(vectors)}},
"refused":{\n${members(Object.fromEntries(bad))}},
"answers":[\n${lines([...answers.keys()])}]}\n`);
  console.log({ patterns: patterns.size, answers: answers.size, refused: bad.size, surprising });
}

main();
