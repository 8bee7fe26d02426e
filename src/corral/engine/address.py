"""What a URL says: which servers, of what shape, and how to log in and encrypt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, parse_url

__all__ = ["Address", "Node", "Shape", "UnreadableUrl", "read_url", "shape_of"]

REDIS_PORT: Final = 6379
SENTINEL_PORT: Final = 26379
TLS_OPTIONS: Final = frozenset(
    {
        "ssl_ca_certs",
        "ssl_ca_path",
        "ssl_ca_data",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_password",
        "ssl_cert_reqs",
        "ssl_check_hostname",
    }
)
SENTINEL_OPTIONS: Final = frozenset({"sentinel_username", "sentinel_password", "sentinel_tls"})
OPTIONS: Final = TLS_OPTIONS | SENTINEL_OPTIONS | {"db", "username", "password"}
FOREIGN: Final = frozenset(
    {
        "socket_timeout",
        "socket_connect_timeout",
        "socket_keepalive",
        "socket_read_size",
        "retry_on_timeout",
        "max_connections",
        "health_check_interval",
        "timeout",
        "protocol",
        "decode_responses",
        "encoding",
        "client_name",
    }
)
"""Options that redis-py's client has, and the engine decides itself: taken and left aside."""

_YES: Final = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}


class UnreadableUrl(ValueError):
    """What is wrong with a URL, in words that hold nothing of it: not even a part of the password."""


class Shape(StrEnum):
    """What stands behind a URL."""

    SERVER = "server"
    """One server; when it turns out to be a node of a cluster, the cluster."""
    CLUSTER = "cluster"
    SENTINEL = "sentinel"
    """Sentinels, which know who is the primary now."""


class Node(NamedTuple):
    """One server's host and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to connect to.

    Attributes:
        nodes: the server; or nodes of the cluster, any of which knows the others; or the sentinels. Empty for a unix
            socket, whose `path` is among the options.
        options: user, password, database and certificates, by redis-py's names.
        kind: how to connect: plain, TLS or unix.
        master: the name under which the sentinels know the primary.
        sentinel_options, sentinel_kind: the same for the sentinels themselves.
    """

    shape: Shape
    nodes: tuple[Node, ...]
    kind: type[AbstractConnection] = Connection
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    master: str = ""
    sentinel_kind: type[AbstractConnection] = Connection
    sentinel_options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def tls(self) -> bool:
        """Whether connections to the servers are encrypted."""
        return issubclass(self.kind, SSLConnection)

    @property
    def sentinel_tls(self) -> bool:
        """Whether connections to the sentinels are encrypted."""
        return issubclass(self.sentinel_kind, SSLConnection)


def shape_of(url: str) -> Shape:
    """The shape that the scheme of a URL says."""
    said = url.partition(":")[0].partition("+")[2]
    return Shape(said) if said in (Shape.CLUSTER, Shape.SENTINEL) else Shape.SERVER


def read_url(url: str) -> Address:
    """Take a URL apart. Raises `UnreadableUrl`."""
    try:
        return _read(url)
    except UnreadableUrl:
        raise
    except ValueError:
        raise UnreadableUrl("it is malformed") from None


def _read(url: str) -> Address:
    scheme, slashes, rest = url.partition("://")
    if not slashes:
        raise UnreadableUrl("it does not begin with a scheme and ://")
    encryption, plus, shape = scheme.lower().partition("+")
    if not plus:
        return _read_one(url)
    if encryption not in ("redis", "rediss") or shape not in (Shape.CLUSTER, Shape.SENTINEL):
        raise UnreadableUrl("its scheme is unknown")
    parts = urlsplit(f"{encryption}://{rest}")
    login, at, hosts = parts.netloc.rpartition("@")
    default_port = SENTINEL_PORT if shape == Shape.SENTINEL else REDIS_PORT
    nodes = tuple(_node(each, default_port) for each in hosts.split(",") if each)
    if not nodes:
        raise UnreadableUrl("it names no host")
    path = parts.path.strip("/")
    master, _, db = path.partition("/") if shape == Shape.SENTINEL else ("", "", path)
    if shape == Shape.SENTINEL and not master:
        raise UnreadableUrl("it does not name the master")
    _check_database(db)
    kind, options = _options(f"{encryption}://{login}{at}{nodes[0]}/{db}?{parts.query}")
    sentinels = _sentinel_options(kind, options)
    left_out = SENTINEL_OPTIONS if issubclass(kind, SSLConnection) else SENTINEL_OPTIONS | TLS_OPTIONS
    options = {name: value for name, value in options.items() if name not in left_out}
    return Address(Shape(shape), nodes, kind, options, unquote(master), *sentinels)


def _read_one(url: str) -> Address:
    kind, options = _options(url)
    if set(options) & SENTINEL_OPTIONS:
        raise UnreadableUrl("it has options for sentinels, and names none")
    if "path" in options:
        return Address(Shape.SERVER, (), kind, options)
    parts = urlsplit(url)
    _check_database(parts.path.strip("/"))
    return Address(Shape.SERVER, (_node(parts.netloc.rpartition("@")[2], REDIS_PORT),), kind, options)


def _check_database(text: str) -> None:
    """Redis-py would take what is no number for database 0."""
    if text and not text.isdecimal():
        raise UnreadableUrl("its database is no number")


def _node(text: str, default_port: int) -> Node:
    parts = urlsplit(f"//{text}")
    return Node(unquote(parts.hostname or "localhost"), parts.port or default_port)


def _options(url: str) -> tuple[type[AbstractConnection], dict[str, Any]]:
    """What redis-py reads out of a URL of one server, without host and port."""
    before, _, query = url.partition("?")
    given = dict(parse_qsl(query.partition("#")[0]))
    unknown = sorted(set(given) - OPTIONS - FOREIGN)
    if unknown:
        raise UnreadableUrl(f"its options may be {', '.join(sorted(OPTIONS))}")
    kept = {name: value for name, value in given.items() if name not in FOREIGN}
    if "ssl_cert_reqs" in kept and kept["ssl_cert_reqs"] not in ("none", "optional", "required"):
        raise UnreadableUrl("ssl_cert_reqs must be required, optional or none")
    checks = _says_yes("ssl_check_hostname", kept, unsaid=True)
    kept.pop("ssl_check_hostname", None)
    found: dict[str, Any] = dict(parse_url(f"{before}?{urlencode(kept)}" if kept else before))
    found.pop("host", None)
    found.pop("port", None)
    kind: type[AbstractConnection] = found.pop("connection_class", Connection)
    if issubclass(kind, SSLConnection) or _says_yes("sentinel_tls", found):
        found["ssl_check_hostname"] = checks
    elif set(found) & TLS_OPTIONS:
        raise UnreadableUrl("it has options for TLS: make it rediss://")
    return kind, found


def _says_yes(name: str, options: Mapping[str, Any], unsaid: bool = False) -> bool:
    said = str(options[name]).lower() if name in options else str(int(unsaid))
    if said not in _YES:
        raise UnreadableUrl(f"{name} must be true or false")
    return _YES[said]


def _sentinel_options(
    kind: type[AbstractConnection], options: Mapping[str, Any]
) -> tuple[type[AbstractConnection], dict[str, Any]]:
    """How to connect to the sentinels: a user and password of their own, the certificates of the servers."""
    encrypted = _says_yes("sentinel_tls", options, unsaid=issubclass(kind, SSLConnection))
    found = {
        name.removeprefix("sentinel_"): options[name]
        for name in ("sentinel_username", "sentinel_password")
        if name in options
    }
    if not encrypted:
        return Connection, found
    return SSLConnection, found | {name: value for name, value in options.items() if name in TLS_OPTIONS}
