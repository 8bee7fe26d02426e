"""What an error of the server means: the one table that says retry or fatal.

*retry*: the same call may be sent again, now or a little later. *full*: no room for new jobs; what drains the queue
still works. *fatal*: it will be refused again until a person acts, and the remedy says how. Everything else is the
script's or the caller's own mistake and passes through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from redis import exceptions as redis_errors

from corral.errors import QueueFull, ServerError, ServerRefused

__all__ = [
    "FAULTS",
    "Fault",
    "ResponseError",
    "Unanswered",
    "Verdict",
    "damaged_key",
    "failed_halfway",
    "fault_of",
    "is_fatal",
    "is_wrong_type",
    "overtaken_by",
    "translate",
]

ResponseError = redis_errors.ResponseError
"""What the server says when the call itself is at fault: passed through."""


class Verdict(StrEnum):
    """What to do about an error."""

    RETRY = "retry"
    FULL = "full"
    FATAL = "fatal"


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: the code that a reply begins with (or a name of ours), the verdict, the remedy."""

    code: str
    verdict: Verdict
    remedy: str


class Unanswered(ServerError):
    """No answer to a call, or not now: it may have been carried out or not, and may be sent again.

    Inside the engine only; users see `ServerUnavailable` when the time is up.
    """

    def __init__(self, server: str, cause: str) -> None:
        self.server = server
        self.cause = cause
        super().__init__(f"{server}: {cause}")


_WAIT = "It passes by itself"
FAULTS: Final = {
    fault.code: fault
    for fault in (
        Fault("CONNECTION", Verdict.RETRY, _WAIT),
        Fault("TIMEOUT", Verdict.RETRY, _WAIT),
        Fault("LOADING", Verdict.RETRY, "The server reads its data; it answers when that is done"),
        Fault("BUSY", Verdict.RETRY, "A script runs too long; SCRIPT KILL ends one that has not written"),
        Fault("TRYAGAIN", Verdict.RETRY, "The cluster moves this slot"),
        Fault("CLUSTERDOWN", Verdict.RETRY, "The cluster elects a new primary"),
        Fault("MASTERDOWN", Verdict.RETRY, "The replica has lost its primary"),
        Fault("READONLY", Verdict.RETRY, "A failover is under way, or the URL names a replica"),
        Fault("UNBLOCKED", Verdict.RETRY, "A failover is under way"),
        Fault("MAXCLIENTS", Verdict.RETRY, "The server has no free connection; raise maxclients"),
        Fault("MISCONF", Verdict.RETRY, "The server cannot write to its disk; make room"),
        Fault("NOREPLICAS", Verdict.RETRY, "Too few replicas are connected (min-replicas-to-write)"),
        Fault("OOM", Verdict.FULL, "Raise maxmemory, or keep fewer finished jobs"),
        Fault("WRONGPASS", Verdict.FATAL, "Check user and password in REDIS_URL"),
        Fault("NOAUTH", Verdict.FATAL, "Give user and password in REDIS_URL: redis://user:password@host"),
        Fault("NOPERM", Verdict.FATAL, "Give the user the missing command or key pattern (ACL SETUSER)"),
        Fault("CROSSSLOT", Verdict.FATAL, "Put a hash tag in the prefix or the queue name: prefix={bull}"),
        Fault("MOVED", Verdict.RETRY, "The nodes of the cluster do not agree yet on who serves the slot"),
        Fault("NOCLUSTER", Verdict.FATAL, "This server is no node of a cluster: give a redis:// URL"),
        Fault("NOSENTINEL", Verdict.FATAL, "What answers is no sentinel: check the port, 26379 by default"),
        Fault(
            "NOMASTER",
            Verdict.FATAL,
            "Give the name in the sentinels' configuration: redis+sentinel://host/name",
        ),
        Fault(
            "DB", Verdict.FATAL, "Give a database that the server has: a cluster has 0 only, others have 16"
        ),
        Fault(
            "PROTOCOL", Verdict.FATAL, "Check host and port: what answers there is no Redis or Valkey server"
        ),
        Fault("TLS", Verdict.FATAL, "Check the certificate and the host name, and that the port speaks TLS"),
        Fault(
            "URL",
            Verdict.FATAL,
            "Give redis://, rediss://, redis+cluster://, redis+sentinel://host/master, unix:// or embedded://; "
            "write %40, %2F, %3F, %23 for @, /, ?, # in passwords",
        ),
    )
}

# redis-py cuts the code off the message of these.
_BY_CLASS: Final = (
    (redis_errors.AuthorizationError, "NOPERM"),
    (redis_errors.NoPermissionError, "NOPERM"),
    (redis_errors.BusyLoadingError, "LOADING"),
    (redis_errors.ReadOnlyError, "READONLY"),
    (redis_errors.OutOfMemoryError, "OOM"),
    (redis_errors.TryAgainError, "TRYAGAIN"),
    (redis_errors.ClusterCrossSlotError, "CROSSSLOT"),
    (redis_errors.MasterDownError, "MASTERDOWN"),  # a ClusterDownError for redis-py, as MOVED is an ASK
    (redis_errors.ClusterDownError, "CLUSTERDOWN"),
    (redis_errors.MovedError, "MOVED"),
    (redis_errors.AskError, "TRYAGAIN"),
    (redis_errors.InvalidResponse, "PROTOCOL"),
    (redis_errors.TimeoutError, "TIMEOUT"),
    (TimeoutError, "TIMEOUT"),
)

# Replies that bring no code.
_WITHOUT_CODE: Final = (
    ("ACL failure in script", "NOPERM"),
    ("The user executing the script can't", "NOPERM"),  # Redis 7.0
    ("This instance has cluster support disabled", "NOCLUSTER"),
    ("unknown command 'SENTINEL'", "NOSENTINEL"),
    ("DB index is out of range", "DB"),
    ("SELECT is not allowed in cluster mode", "DB"),
    (
        "Protocol error: unauthenticated",
        "NOAUTH",
    ),  # Redis 7.0 takes ten words at most from who has not logged in
)


def fault_of(error: BaseException) -> Fault | None:
    """The row of the table for an error, or None when it is not the server's state that is at fault."""
    text = str(error)
    if isinstance(error, redis_errors.AuthenticationError):
        return FAULTS["NOAUTH" if "required" in text.lower() else "WRONGPASS"]
    for kind, code in _BY_CLASS:
        if isinstance(error, kind):
            return FAULTS[code]
    if isinstance(error, redis_errors.ConnectionError | OSError | EOFError):
        return FAULTS[_of_connection(text)]
    for beginning, code in _WITHOUT_CODE:
        if text.startswith(beginning):
            return FAULTS[code]
    return FAULTS.get(text.partition(" ")[0].rstrip(":"))


def is_fatal(error: BaseException) -> bool:
    """Whether the same call will be refused again, by whomever it is sent to, until a person acts."""
    fault = fault_of(error)
    return isinstance(error, redis_errors.ResponseError) if fault is None else fault.verdict is Verdict.FATAL


def _of_connection(text: str) -> str:
    if "max number of clients" in text:
        return "MAXCLIENTS"
    if "invalid username-password" in text or "invalid password" in text:
        return "WRONGPASS"
    if (
        "answers without TLS" in text
        or "CERTIFICATE_VERIFY_FAILED" in text
        or "WRONG_VERSION_NUMBER" in text
        or "certificate" in text.lower()
    ):
        return "TLS"
    if "Protocol" in text or "protocol error" in text.lower():
        return "PROTOCOL"
    return "CONNECTION"


def translate(error: BaseException, server: str, queue: str = "") -> ServerError | None:
    """The error to raise instead: `Unanswered`, `QueueFull` or `ServerRefused`; None to let it pass."""
    fault = fault_of(error)
    if fault is None:
        return None
    said = str(error) or type(error).__name__
    if fault.verdict is Verdict.FULL:
        return QueueFull(queue)
    if fault.verdict is Verdict.RETRY:
        return Unanswered(server, said)
    return ServerRefused(server, said, fault.remedy)


def is_wrong_type(error: ResponseError) -> bool:
    """Whether a key is not of the type that BullMQ gives it: another program has written it."""
    return "WRONGTYPE" in str(error)


def overtaken_by(error: ResponseError) -> int | None:
    """The number of the later call of the same sender, where a numbered call came after it and so was not carried out;
    None for any other error."""
    found = re.match(r"STALE [^:]*: (\d+)", str(error))
    return int(found[1]) if found else None


def failed_halfway(error: ResponseError) -> bool:
    """Whether this very call of an outbox was begun before and failed halfway: a part of it was carried out."""
    return str(error).startswith("HALFWAY ")


def damaged_key(error: ResponseError) -> str | None:
    """The key that a script has found to hold what it should not; None where the error names none."""
    found = re.match(r"(?:WRONGTYPE|ERR) (.+) is no (?:string|list|zset|stream|number)\b", str(error))
    return found[1] if found else None
