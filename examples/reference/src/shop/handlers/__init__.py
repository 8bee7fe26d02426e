"""What the worker runs: each handler reads its payload, opens a transaction, and calls a service."""
