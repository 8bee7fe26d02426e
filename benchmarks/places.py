"""Where things are: the repository, the cache of installed peers, the results."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BENCHMARKS = ROOT / "benchmarks"
RESULTS = BENCHMARKS / "results.json"
TUNED = BENCHMARKS / "tuned.json"
PAGE = ROOT / "docs" / "benchmarks.md"
NOTES = ROOT / "docs" / "benchmarks-notes.md"

HOME = Path(os.environ.get("BENCH_HOME") or Path.home() / ".cache" / "corral-bench")
"""Virtual environments and npm packages of the peers, logs, the last run: outside of the repository."""

ENVIRONMENTS = HOME / "environments"
LOGS = HOME / "logs"
LAST_RUN = HOME / "last.json"
QUICK_RUN = HOME / "quick.json"
