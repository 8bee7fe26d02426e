"""The program that renews the locks of a worker's running jobs: a process of its own.

It is a process, because neither a blocked event loop nor a handler that holds the GIL may cost a job its
lock; and it is small, because every worker has one: standard library only, nothing else of Corral, one
blocking socket, RESP read by hand. It runs isolated from site-packages, as the top-level package `renewer`;
that is why its modules import each other relatively, and why they may import nothing else.

The worker writes its running jobs into a table in shared memory (`layout`). Every quarter of a queue's lock
time the program reads the table and sends one script call for up to 500 jobs of that queue. A failed call
is repeated within a second or so on a new connection, so at least two renewals in a row may fail before a
lock runs out.

The worker's death ends it: its standard input reaches its end, or (a handler's forked child holds that pipe
open) its parent's process id changes. While the worker is stopped (SIGSTOP) nothing is renewed, so that
others may take over its jobs. Signals meant for the process group, Ctrl-C or an init system's SIGTERM, are
ignored: a worker that drains needs its locks.

Standard input: one line of JSON, the settings. Standard output: one line of JSON for each event: `ready`,
`lost`, `failing`, `recovered`.
"""
