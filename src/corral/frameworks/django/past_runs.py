"""What Django wants to know of earlier runs, and BullMQ's layout has no field for: a note at the end of each traceback.

The traceback of a failed attempt is stored anyway. The note says, in a line of its own, the class of the exception, and
which worker ran it since when.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime
from typing import Final, NamedTuple

from corral.contracts.job import Job

__all__ = ["PastRun", "add_note", "past_runs"]

_NOTE: Final = re.compile(r"^(?:  \| )?corral: (\S+) in (\S+) since (\S+)$\n?", re.MULTILINE)
"""As Python prints a note: behind the message, in a group's frame for a group. The parts of a group stand deeper."""
_LAST_LINE: Final = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)


class PastRun(NamedTuple):
    """One run that failed. `worker` and `since` are None where it ended without its handler's doing: by its timeout,
    for instance."""

    exception: str
    """The path of its class."""
    traceback: str
    worker: str | None = None
    since: datetime | None = None


def add_note(error: BaseException, worker: str, since: datetime) -> None:
    """Note on what a task raised how this run came about. An exception that is raised in every run has one note."""
    kind = type(error)
    others = [note for note in getattr(error, "__notes__", ()) if not _NOTE.match(str(note))]
    error.__notes__ = [
        *others,
        f"corral: {kind.__module__}.{kind.__qualname__} in {worker} since {since.isoformat()}",
    ]


def past_runs(job: Job) -> list[PastRun]:
    """The failed runs of a job whose tracebacks are kept, the oldest first."""
    return [_parsed(text) for text in job.stacktrace]


def _parsed(text: str) -> PastRun:
    # A message may say anything, also what looks like a note: ours stands behind it, and so is the last one.
    for note in list(_NOTE.finditer(text))[-1:]:
        path, worker, since = note.groups()
        with suppress(ValueError):  # no moment, so not ours: of this run there is no note
            began = datetime.fromisoformat(since)
            return PastRun(path, text[: note.start()] + text[note.end() :], worker, began)
    found = _LAST_LINE.findall(text)
    path = str(found[-1]) if found else "Exception"
    return PastRun(path if "." in path else f"builtins.{path}", text)
