"""Messages between the worker and its handler processes: pickles with their length in front.

Pickle is safe here: both ends are our own processes on one socket pair, and nothing of it is stored.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
import struct
from typing import Any

LENGTH = struct.Struct("<Q")


def encode(message: Any) -> bytes:
    """One message as a frame."""
    body = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(body)) + body


class Frames:
    """Cuts what was received into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add bytes as they came."""
        self._buffer += data

    def next(self) -> Any | None:
        """The next complete message, None while there is none. No message is None itself."""
        if len(self._buffer) < LENGTH.size:
            return None
        end = LENGTH.size + LENGTH.unpack_from(self._buffer)[0]
        if len(self._buffer) < end:
            return None
        message = pickle.loads(memoryview(self._buffer)[LENGTH.size : end].tobytes())  # noqa: S301
        del self._buffer[:end]
        return message


class FrameSocket:
    """One end of the pair, in the worker's loop."""

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self._socket = connection
        self._frames = Frames()

    async def send(self, message: Any) -> None:
        """Send one message. OSError when the other side is gone."""
        await asyncio.get_running_loop().sock_sendall(self._socket, encode(message))

    async def receive(self) -> Any:
        """Wait for the next message. EOFError when the other side is gone."""
        while (message := self._frames.next()) is None:
            data = await asyncio.get_running_loop().sock_recv(self._socket, 262144)
            if not data:
                raise EOFError
            self._frames.feed(data)
        return message

    def end_reading(self) -> None:
        """Make `receive` raise EOFError after what has arrived, though some descendant of the child may keep the
        other end open."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Close this end."""
        self._socket.close()
