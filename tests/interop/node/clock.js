'use strict';
// The clock of this process, held by a test: from `setClock` until all is closed, it is as late as the test says.

const RealDate = Date;
let now = null;

const HeldDate = new Proxy(RealDate, {
  construct: (target, given) => (given.length ? new target(...given) : new target(now)),
  get: (target, name) => (name === 'now' ? () => now : Reflect.get(target, name)),
});

function clockCommands() {
  const commands = {
    setClock(args) {
      now = args.now;
      globalThis.Date = HeldDate;
    },
  };
  const close = async () => {
    globalThis.Date = RealDate;
  };
  return { commands, close };
}

module.exports = { clockCommands };
