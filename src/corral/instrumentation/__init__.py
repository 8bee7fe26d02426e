"""Instrumentation: what monitoring systems are told. Each part needs the extra of its name."""
