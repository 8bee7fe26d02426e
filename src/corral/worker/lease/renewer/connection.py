"""The renewer's connection: one blocking socket, and as much RESP as a script call needs."""

from __future__ import annotations

import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    Reply: TypeAlias = "int | bytes | list[Reply] | ErrorReply | None"


class ErrorReply(Exception):
    """An error that the server replied with."""


def pack_command(*parts: bytes) -> bytes:
    """Encode one command as RESP."""
    packed = [b"*%d\r\n" % len(parts)]
    packed += [b"$%d\r\n%b\r\n" % (len(part), part) for part in parts]
    return b"".join(packed)


def parse_reply(buffer: bytes, at: int = 0) -> tuple[Reply, int] | None:
    """Return (reply, offset behind it), None while it is incomplete. ValueError on what is not RESP."""
    end = buffer.find(b"\r\n", at)
    if end < 0:
        if len(buffer) - at > 65536:
            raise ValueError("not a reply of a Redis server: a line without end")
        return None
    kind, line, behind = buffer[at : at + 1], buffer[at + 1 : end], end + 2
    if kind == b":":
        return int(line), behind
    if kind == b"+":
        return line, behind
    if kind == b"-":
        return ErrorReply(line.decode(errors="replace")), behind
    if kind == b"$":
        return _parse_bulk(buffer, int(line), behind)
    if kind == b"*":
        return _parse_array(buffer, int(line), behind)
    raise ValueError(f"not a reply of a Redis server: {buffer[at : at + 20]!r}")


def _parse_bulk(buffer: bytes, size: int, at: int) -> tuple[Reply, int] | None:
    if size < 0:
        return None, at
    if len(buffer) < at + size + 2:
        return None
    return buffer[at : at + size], at + size + 2


def _parse_array(buffer: bytes, size: int, at: int) -> tuple[Reply, int] | None:
    items: list[Reply] = []
    for _ in range(size):
        item = parse_reply(buffer, at)
        if item is None:
            return None
        items.append(item[0])
        at = item[1]
    return items, at


class Connection:
    """One connection, opened when it is first needed and closed at the first doubt.

    Every call has one deadline for all of it: connecting, sending, reading. After a failed call the
    connection is closed, so that a late reply is never taken for that of another command.
    """

    def __init__(self, server: dict[str, Any], timeout: float) -> None:
        self._server = server
        self._timeout = timeout
        self._socket: socket.socket | None = None

    def call(self, *parts: bytes) -> Reply:
        """Send one command and return its reply. Raises OSError, ValueError (no RESP) or ErrorReply."""
        deadline = time.monotonic() + self._timeout
        try:
            connection = self._socket = self._socket or self._open(deadline)
            reply = _exchange(connection, deadline, *parts)
        except Exception:
            self.close()
            raise
        if isinstance(reply, ErrorReply):
            raise reply
        return reply

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self, deadline: float) -> socket.socket:
        connection = _connect(self._server, self._timeout)
        try:
            if self._server["tls"]:
                connection = _wrap_tls(connection, self._server)
            for command in _greeting(self._server):
                reply = _exchange(connection, deadline, *command)
                if isinstance(reply, ErrorReply):
                    raise reply
        except Exception:
            connection.close()
            raise
        return connection


def _connect(server: dict[str, Any], timeout: float) -> socket.socket:
    if not server["unix_path"]:
        connection = socket.create_connection((server["host"], server["port"]), timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(server["unix_path"])
    except OSError:
        connection.close()
        raise
    return connection


def _wrap_tls(connection: socket.socket, server: dict[str, Any]) -> socket.socket:
    import ssl  # 5 MiB: only for those who use it

    tls = server["tls"]
    context = ssl.create_default_context(cafile=tls["ca_file"], capath=tls["ca_path"], cadata=tls["ca_data"])
    context.check_hostname = tls["verify"] and tls["check_hostname"]
    if not tls["verify"]:
        context.verify_mode = ssl.CERT_NONE
    if tls["cert_file"]:
        context.load_cert_chain(tls["cert_file"], tls["key_file"], tls["key_password"])
    return context.wrap_socket(connection, server_hostname=server["host"])


def _greeting(server: dict[str, Any]) -> list[list[bytes]]:
    commands = []
    if server["password"] is not None:
        user = [server["username"].encode()] if server["username"] else []
        commands.append([b"AUTH", *user, server["password"].encode()])
    if server["db"]:
        commands.append([b"SELECT", b"%d" % server["db"]])
    return commands


def _exchange(connection: socket.socket, deadline: float, *parts: bytes) -> Reply:
    connection.settimeout(_left(deadline))
    connection.sendall(pack_command(*parts))
    received = b""
    while True:
        connection.settimeout(_left(deadline))
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        received += data
        parsed = parse_reply(received)
        if parsed is not None:
            return parsed[0]


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the server did not reply in time")
    return left
