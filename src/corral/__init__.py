"""Corral: type-safe background jobs for Python on Redis/Valkey, in BullMQ's data layout."""
