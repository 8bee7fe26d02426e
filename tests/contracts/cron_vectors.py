"""The answers of Node's cron-parser, as `data/make_cron_vectors.js` wrote them down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).parent / "data" / "cron_vectors.json"


class Answer(NamedTuple):
    """That after `after_ms` the pattern runs next at `run_ms`; None where cron-parser gives up."""

    pattern: str
    after_ms: int
    run_ms: int | None


@cache
def contents() -> dict[str, Any]:
    """The file as it is."""
    content: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return content


def zones() -> list[str]:
    """The zones that were asked about."""
    return list(contents()["zones"])


def patterns() -> list[str]:
    """The patterns that were asked about."""
    return list(contents()["vectors"])


def refused() -> dict[str, str]:
    """The patterns that cron-parser refuses, with what it says."""
    return dict(contents()["refused"])


def answers(zone: str) -> Iterator[Answer]:
    """All that was answered about one zone."""
    around, starts = contents()["zones"][zone].values()
    texts, column = contents()["answers"], zones().index(zone)
    for pattern, columns in contents()["vectors"].items():
        for moment, index in zip(around, columns[column], strict=True):
            for (offset, _), chain in zip(starts, texts[index].split(","), strict=True):
                yield from _chain(pattern, int(moment + offset * 1000), chain)


def _chain(pattern: str, after_ms: int, chain: str) -> Iterator[Answer]:
    for step in chain.split(" "):
        if step == "-":
            yield Answer(pattern, after_ms, None)
            return
        run_ms = after_ms // 1000 * 1000 + int(step, 36) * 1000
        yield Answer(pattern, after_ms, run_ms)
        after_ms = run_ms
