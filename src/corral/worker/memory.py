"""How much memory this process uses."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

__all__ = ["memory_in_use"]


def memory_in_use() -> int:
    """Resident memory in bytes; where that is not to be had, its highest mark."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return pages * resource.getpagesize()
