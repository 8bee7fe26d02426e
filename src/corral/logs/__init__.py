"""Logging: structlog set-up, the running job's fields, lifecycle lines, a queue that no stuck pipe can block.

Nothing is configured at import. A program that is a Corral worker calls `configure`; a program that only
uses Corral keeps the logging it has, and Corral's lines go there.
"""

from corral.logs.lifecycle import LifecycleLog, lifecycle_log
from corral.logs.logger import Logger, get_logger
from corral.logs.scope import enter_job, leave_job
from corral.logs.setup import configure, flush

__all__ = [
    "LifecycleLog",
    "Logger",
    "configure",
    "enter_job",
    "flush",
    "get_logger",
    "leave_job",
    "lifecycle_log",
]
