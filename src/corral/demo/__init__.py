"""The demo: a small product on Corral, with real mail, real HTTP, a database and pictures.

Read it as an example. `contract` says what the jobs are; `api` enqueues them and `worker` runs them, each in a process
of its own, and neither imports the other. `mailer`, `sessions`, `photos` and `partner` are services of the product.
The rest puts it on a stage: `receivers` are the outside world, `story` sends the requests, `checks` looks at what
arrived, `screen` shows it, `stage` starts and stops the processes, `program` is the whole evening.
"""
