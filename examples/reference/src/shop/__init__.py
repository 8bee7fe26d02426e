"""A small shop: users, sessions, invitations, orders. What runs in the background runs on Corral.

The API and the worker are two programs of one package, which meet in two places:

- `tasks`: the contracts, which say what jobs there are. Both import them; they import neither.
- `services`: what the shop does, on a database session. They know no HTTP and no jobs.

`api` turns requests into calls of services and enqueues what may take its time; `handlers` turn jobs into calls of
services. Nothing is made when a module is imported: `api.app.create_app` and `worker.create_worker` make it all.
"""
