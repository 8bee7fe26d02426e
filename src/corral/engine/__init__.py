"""How jobs are kept: the only package that knows Redis. One module a phase of a job's life."""
