"""What failures have in common: an error's type, its place and its message, without what differs from job to job.

Pure, and linear in time: texts are cut before they are looked at, because every one of them may be hostile.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Final, cast

from corral.contracts.secret import MASK, masked_text

__all__ = ["Fingerprint", "fingerprint_of", "last_trace", "normalised"]

LONGEST_MESSAGE: Final = 500
LONGEST_TRACE: Final = 32 * 1024
LONGEST_NAME: Final = 120
"""Characters that count: of a message, of a trace (its end), of a type, a file or a function."""

VALUE: Final = "#"
TEXT: Final = "…"

_B, _E = r"(?<![\w#])", r"(?![\w#])"
_NUMBER: Final = r"\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?"
_VALUES: Final = "|".join(
    (
        r"(?<![\w.+#-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.\w+",  # an e-mail address
        rf"{_B}[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}{_E}",  # a UUID
        rf"{_B}\d{{4}}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?{_E}",  # a time
        rf"{_B}0x[0-9a-fA-F]+{_E}",
        r"(?<![\w:#])[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{0,4}){2,7}(?<=\w)(?![\w:#])",  # IPv6, or a time of day
        rf"{_B}\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?::\d+)?{_E}",  # IPv4
        rf"{_B}-?{_NUMBER}{_E}",
        rf"{_B}(?=[a-fA-F]*\d)[0-9a-fA-F]{{8,}}{_E}",  # a hash, an object id
        rf"{_B}(?=[A-Za-z]*\d)[A-Za-z0-9]{{16,}}{_E}",  # ULID, nanoid, …
        rf"(?:{_B}-)?{_NUMBER}",  # also within a word: order_991
    )
)
# Each of them ends in a letter or a digit, so that what follows stands behind the same kind of thing afterwards.
# A quotation that the cut has left open ends with the text.
_QUOTED: Final = "|".join(rf"{_B}{mark}[^{mark}]+(?:{mark}|\Z)" for mark in "\"'`")
_VARYING: Final = re.compile(f"(?P<text>{_QUOTED})|{_VALUES}", re.ASCII)

# V8's JSON.parse says what it has met, and cites some of the text, quotation marks and all.
_MET: Final = r"Unexpected token (?:'.{1,2}'|\S{1,2})"
_OF_JSON: Final = re.compile(
    rf"{_MET}(?:(?= in JSON at )|(?P<cites>, )(?:\.\.\.)?\".*\"(?:\.\.\.)?(?= is not valid JSON))"
)

_PYTHON_TRACE: Final = "Traceback (most recent call last)"
_PYTHON_FRAME: Final = re.compile(r'^[ |]*File "([^"\n]+)", line \d+, in ([^\n]+)$', re.MULTILINE)
_NODE_FRAME: Final = re.compile(
    r"^ +at (?:async )?(?:([^\n(]*) \()?([^\n()]+?)(?::\d+){1,2}\)?$", re.MULTILINE
)
_NODE_TYPE: Final = re.compile(r"(?:Uncaught )?([A-Za-z_$][\w$.]*)(?: \[[\w ]+\])?(?::|\n|\Z)")
_NOT_THE_USERS: Final = re.compile(
    r"(?:^|[/\\])(?:site-packages|dist-packages|node_modules|[Ll]ib[/\\]python\d[\d.]*|corral[/\\](?:worker|engine))[/\\]"
    r"|^(?:<|node:|internal/|native\b)"
)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What the failures of one group share."""

    kind: str
    """Why they failed for good."""
    error_type: str
    """Of the exception: `ValueError`, `httpx.ConnectError`; empty where no trace tells it."""
    place: str
    """The innermost frame of the user's code, `folder/file.py:function`; empty where no trace tells it."""
    message: str
    """The reason, `#` for each number, id, address or time, and `…` between quotation marks."""

    @property
    def digest(self) -> str:
        """Sixteen hexadecimal digits: the same everywhere and always for the same four texts."""
        words = json.dumps([self.kind, self.error_type, self.place, self.message])
        return hashlib.sha256(words.encode()).hexdigest()[:16]


def fingerprint_of(kind: str, reason: str, trace: str) -> Fingerprint:
    """The fingerprint of a failure: of its kind, its reason, and the trace of its last attempt, Python's or V8's."""
    trace = trace[-LONGEST_TRACE:]
    error_type, place = _of_python(trace) if _PYTHON_TRACE in trace or 'File "' in trace else _of_node(trace)
    return Fingerprint(kind, error_type[:LONGEST_NAME], place, normalised(reason))


def normalised(message: str) -> str:
    """A message without what differs from job to job, and without the secrets that can be seen in it."""
    # As a number, a secret is a value like any other: one number in ten looks like that of a card.
    shown = masked_text(message[: 4 * LONGEST_MESSAGE]).replace(MASK, "0")
    text = " ".join(shown.split())[:LONGEST_MESSAGE].rstrip()
    return _VARYING.sub(_without_value, _OF_JSON.sub(_without_json, text))


def _without_value(found: re.Match[str]) -> str:
    mark = found[0][0]
    return f"{mark}{TEXT}{mark}" if found["text"] else VALUE


def _without_json(found: re.Match[str]) -> str:
    cited = f', "{TEXT}"' if found["cites"] else ""
    return f"Unexpected token {TEXT}{cited}"


def last_trace(stored: str) -> str:
    """The newest trace of a job's `stacktrace`, of which the beginning may be missing."""
    try:
        traces = json.loads(stored)
    except (ValueError, RecursionError):
        return _unescaped(stored)
    newest = cast("list[object]", traces)[-1] if isinstance(traces, list) and traces else ""
    return newest if isinstance(newest, str) else ""


def _unescaped(stored: str) -> str:
    """The end of a text in JSON: what stands behind the last quotation mark that opens one."""
    cut = stored.rfind('","')
    while cut > 0 and stored[cut - 1] == "\\":
        cut = stored.rfind('","', 0, cut)
    ending = stored[cut + 3 if cut >= 0 else 0 :].removesuffix('"]')
    try:
        return str(json.loads(f'"{ending.lstrip(chr(92))}"'))
    except ValueError:
        return ending.replace("\\n", "\n").replace('\\"', '"')


def _of_python(trace: str) -> tuple[str, str]:
    """The last traceback is that of what was raised; those before it are its causes. Its last frame is the innermost,
    and the type stands behind it, as far from the margin as the word Traceback."""
    before, _, raised = trace.rpartition(_PYTHON_TRACE)
    margin = re.escape(before.rpartition("\n")[2][:LONGEST_NAME])
    frames = list(_PYTHON_FRAME.finditer(raised))
    users = [frame for frame in frames if not _NOT_THE_USERS.search(frame[1])] or frames
    type_line = re.compile(rf"^{margin}([A-Za-z_][\w.]*)(?::|$)", re.MULTILINE)
    type_ = type_line.search(raised, frames[-1].end() if frames else 0)
    return type_[1] if type_ else "", _place(users[-1][1], users[-1][2]) if users else ""


def _of_node(trace: str) -> tuple[str, str]:
    """The first frame is the innermost."""
    frames = list(_NODE_FRAME.finditer(trace))
    if not frames:
        return "", ""
    users = [frame for frame in frames if not _NOT_THE_USERS.search(frame[2])] or frames
    type_ = _NODE_TYPE.match(trace)
    return type_[1] if type_ else "", _place(users[0][2], users[0][1] or "")


def _place(path: str, function: str) -> str:
    """Where it happened, the same on every machine: the last folder, the file, the function."""
    parts = re.split(r"[/\\]+", path)
    file = "/".join(parts[-2:])[-LONGEST_NAME:]
    return f"{file}:{function.strip()[:LONGEST_NAME]}" if function else file
