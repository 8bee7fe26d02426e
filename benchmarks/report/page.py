"""docs/benchmarks.md, made from the results and the notes beside it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.places import NOTES, PAGE
from benchmarks.report import tables
from benchmarks.results import Results

HERE = Path(__file__).parent
MADE = "<!-- Made by `python -m benchmarks report` from results.json and benchmarks-notes.md: edit those. -->"


def write_page(results: Results) -> None:
    """Write docs/benchmarks.md."""
    notes = NOTES.read_text().strip() if NOTES.exists() else ""
    meta = results.meta
    method = (HERE / "method.md").read_text().format(repeats=meta["repeats"], disturbed=_disturbed(results))
    parts = [
        "# Benchmarks",
        MADE,
        _where(results),
        f"## What is to be reached\n\n{tables.bars(results)}",
        f"## Jobs per second\n\n{tables.throughput(results)}\n\n{tables.ratios(results)}",
        f"## Cost of a job\n\nWith one worker, from the first job on.\n\n{tables.costs(results)}",
        f"## Pick-up latency\n\n{tables.latencies(results)}",
        f"## With a backlog\n\n{tables.backlogs(results)}",
        f"## An idle worker\n\n{tables.idle(results)}",
        f"## What bounds it\n\n{notes or 'Not written yet.'}",
        method.strip(),
        f"## Versions\n\n{tables.versions(results)}",
        *_failures(results),
        (HERE / "repeat.md").read_text().format(minutes=meta["minutes"]).strip(),
    ]
    PAGE.write_text("\n\n".join(parts) + "\n")


def _where(results: Results) -> str:
    meta, machine = results.meta, results.meta["machine"]
    stores = [f"{meta['stores']['redis']} without persistence"]
    if "postgres" in meta["stores"]:
        stores.append(f"{meta['stores']['postgres']} with fsync and synchronous_commit")
    return (
        f"{meta['date']}, commit {meta['commit']}. {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory']}, {machine['system']}, kernel {machine['kernel']}, Python {machine['python']}. "
        f"{', '.join(stores)}."
    )


def _disturbed(results: Results) -> float:
    return max((float(sample.get("others", 0)) for sample in results.samples), default=0.0)


def _failures(results: Results) -> list[str]:
    if not results.failures:
        return []
    rows = [[each["test"], each["system"], each["error"].splitlines()[-1][:200]] for each in results.failures]
    return [f"## What failed\n\n{tables.table(['test', 'system', 'error'], rows)}"]
