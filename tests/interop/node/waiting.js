'use strict';
// A list that grows, and promises for "it has as many matching entries as this".

class Recording {
  constructor() {
    this.entries = [];
    this.waiters = new Set();
  }

  push(entry) {
    this.entries.push(entry);
    for (const check of this.waiters) check();
  }

  // Resolves as soon as `count` entries match; rejects after `timeout` ms, saying what there is.
  until(matches, count, timeout) {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.entries.filter(matches).length < count) return;
        finish(resolve);
      };
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.waiters.delete(check);
        settle(value);
      };
      const timer = setTimeout(() => {
        const seen = this.entries.filter(matches).length;
        finish(reject, new Error(`${seen} of ${count} after ${timeout} ms; in all ${this.entries.length} entries`));
      }, timeout);
      this.waiters.add(check);
      check();
    });
  }
}

module.exports = { Recording };
