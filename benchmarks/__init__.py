"""Corral beside other job systems: same machine, same job, one run.

See docs/benchmarks.md and `python -m benchmarks --help`.
"""
