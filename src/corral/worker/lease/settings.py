"""What the renewer is told: where the server is, and how the locks of each queue are renewed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How the server's certificate is checked, and which one is shown to it."""

    verify: bool = True
    check_hostname: bool = True
    ca_file: str | None = None
    ca_path: str | None = None
    ca_data: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SentinelLogin:
    """How to log in to sentinels, which have users of their own."""

    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: TlsSettings | None = None


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the renewer connects to. `unix_path` wins over `host` and `port`; no `tls`, no TLS.

    With a `master`, host, port and `others` are sentinels; without, `others` are further nodes of the cluster.
    """

    host: str = "localhost"
    port: int = 6379
    unix_path: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    db: int = 0
    tls: TlsSettings | None = None
    others: tuple[tuple[str, int], ...] = ()
    master: str = ""
    sentinel: SentinelLogin = field(default_factory=SentinelLogin)


@dataclass(frozen=True, slots=True)
class QueueLease:
    """How the locks of one queue are renewed.

    The script is called with `keys`, then with `lock_ms`, `prefix` and for each job its id, token and fence.
    It returns a number for each job: 1 renewed, 2 taken again (the lock was missing and this run is still
    the job's last), 0 lost.
    """

    script: str
    keys: list[str]
    prefix: str
    lock_ms: int
