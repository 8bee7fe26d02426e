"""What the scripts take and give, as named tuples of words: nothing is converted on the hot path."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

from corral.engine.link import Word

__all__ = ["OVERRULED", "Claimed", "NewJob", "NewNode", "Refusal", "Settlement", "Verb"]


class NewJob(NamedTuple):
    """One job to add, in the order that `enqueue/add_jobs` reads it.

    `flags`: `c` when the id was chosen by the caller, `l` for lifo. `due` is milliseconds since the epoch, or empty;
    it wins over `delay` (ms). `deduplication` is JSON, or empty.
    """

    wire_id: Word
    flags: str
    name: str
    data: Word
    opts: Word
    delay: int
    due: Word
    priority: int
    deduplication: str


class NewNode(NamedTuple):
    """One job of a flow, in the order that `enqueue/add_flow` reads it.

    `base` is what the keys of its queue begin with. `flags`: `c` when a job may have this id already, `l` for lifo,
    `p` when it has children. `parent_key` and `parent` (JSON: id, queue key, what its failure means) are empty for a
    root. The rest is as in `NewJob`.
    """

    base: str
    wire_id: str
    flags: str
    name: str
    data: Word
    opts: Word
    delay: int
    due: Word
    priority: int
    parent_key: str
    parent: str
    deduplication: str


class Claimed(NamedTuple):
    """One started job, in the order in which the scripts return it: raw bytes, None where a field is missing.

    `starts` is the number of this run (`ats`), `made` how many attempts ended before it (`atm`), `deferred` a
    failure to deliver instead of running it (`defa`).
    """

    name: bytes | None
    data: bytes | None
    opts: bytes | None
    starts: int
    made: bytes | None
    timestamp: bytes | None
    delay: bytes | None
    priority: bytes | None
    stalls: bytes | None
    deferred: bytes | None
    schedule: bytes | None
    parent_key: bytes | None
    deduplication: bytes | None
    wire_id: bytes

    @property
    def fence(self) -> bytes:
        """The run's number, and when its job was added: a run that is no longer its job's last writes nothing, nor does
        one whose job was removed and added again."""
        return b"%d:%b" % (self.starts, self.timestamp or b"")


class Verb(StrEnum):
    """How a run ends."""

    COMPLETE = "c"
    FAIL = "f"
    RETRY = "r"
    DELAY = "d"
    SNOOZE = "s"
    SNOOZE_UNTIL = "u"
    GIVE_BACK = "w"
    HOLD_OFF = "l"
    WAIT_FOR_CHILDREN = "k"


class Settlement(NamedTuple):
    """How one run ended, in the order that `settle/commit_jobs` reads it.

    `text` is the result (JSON) or the reason. `amount`: ms for DELAY, SNOOZE and HOLD_OFF, ms
    since the epoch for SNOOZE_UNTIL, attempts allowed for FAIL, 1 to
    run first for RETRY. `keep_count` and `keep_age` (seconds): -1 for no limit. `traces`: stack traces to keep.
    `kind`: of a failure, empty for none.
    """

    wire_id: Word
    token: Word
    fence: Word
    verb: str
    text: Word
    trace: str = ""
    amount: int = 0
    keep_count: int = -1
    keep_age: int = -1
    traces: int = 0
    kind: str = ""


OVERRULED: Final = 1
"""The code of a settlement in whose place another was stored: its job was cancelled, and has failed for that."""


class Refusal(IntEnum):
    """Why a script refused a write. The numbers are BullMQ's, and those beyond -20 Corral's own."""

    NO_JOB = -1
    SUPERSEDED = -2
    NOT_ACTIVE = -3
    CHILDREN_PENDING = -4
    NO_PARENT = -5
    HELD_BY_ANOTHER = -6
    OTHER_PARENT = -7
    SCHEDULED = -8
    CHILDREN_FAILED = -9
    ABOVE_ITSELF = -20
    NO_CHILDREN = -21
    TOO_DEEP = -22
    OTHER_NAME = -25
