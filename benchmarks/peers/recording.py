"""What every Python program of a system uses: the environment it is given, and the handlers' recorder."""

from __future__ import annotations

import logging
import os
import struct
import sys
import time
from pathlib import Path

REDIS = os.environ.get("BENCH_REDIS", "")
POSTGRES = os.environ.get("BENCH_POSTGRES", "")
LOG = os.environ.get("BENCH_LOG", "")
FLIGHT = int(os.environ.get("BENCH_FLIGHT", "1"))
GAP = tuple(float(word) for word in os.environ.get("BENCH_GAP", "0.005,0.015").split(","))
VARIANT = dict(
    ([*part.split("=", 1), ""])[:2] for part in os.environ.get("BENCH_VARIANT", "").split(",") if part
)

_pack = struct.Struct("<IIId").pack
_pid = os.getpid()
_fd = -1


def record(number: int) -> None:
    """Note that the handler of this job runs: one write of 20 bytes, the same for every system."""
    global _fd
    if _fd < 0:
        _fd = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(_fd, _pack(_pid, 0, number, time.monotonic()))


def recorded() -> int:
    """How many handlers have run, in any process."""
    try:
        return os.stat(LOG).st_size // 20  # noqa: PTH116 (no Path per look)
    except OSError:
        return 0


def wait_for_go() -> None:
    """Say that everything is imported and built, and wait for the driver's word."""
    print("READY", flush=True)
    go = os.environ.get("BENCH_GO")
    while go and not Path(go).exists():
        time.sleep(0.001)


def log_warnings() -> None:
    """Log from level warning on, to standard error: the same for every system."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    for name in ("pgqueuer", "saq", "taskiq", "dramatiq", "bullmq"):
        logging.getLogger(name).setLevel(logging.WARNING)
