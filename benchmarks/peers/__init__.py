"""One program per system, run in its own environment: enqueues, or works. `commands` has what they share."""
