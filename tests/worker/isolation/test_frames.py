"""Messages between the worker and its handler processes."""

from __future__ import annotations

import asyncio
import socket

import pytest

from corral.worker.isolation.frames import Frames, FrameSocket, encode


def test_messages_are_cut_out_of_the_stream() -> None:
    """Messages come out whole and in order, however the bytes arrive."""
    messages = [("job", b"x" * 1000, None), ("cancel",), ("returned", {"a": [1, 2]})]
    data = b"".join(map(encode, messages))
    frames, found = Frames(), []
    for byte in data:
        frames.feed(bytes([byte]))
        while (message := frames.next()) is not None:
            found.append(message)
    assert found == messages


async def test_a_large_message_passes_in_both_directions() -> None:
    """A message far larger than the socket's buffer passes."""
    ours, theirs = socket.socketpair()
    one, other = FrameSocket(ours), FrameSocket(theirs)
    large = ("job", b"x" * 5_000_000)
    _, received = await asyncio.gather(one.send(large), other.receive())
    assert received == large
    one.close()
    with pytest.raises(EOFError):
        await other.receive()
    other.close()


async def test_reading_can_be_ended() -> None:
    """What has arrived is read; then the end comes, though the other side stays open."""
    ours, theirs = socket.socketpair()
    one, other = FrameSocket(ours), FrameSocket(theirs)
    await other.send(("last",))
    one.end_reading()
    assert await one.receive() == ("last",)
    with pytest.raises(EOFError):
        await one.receive()
    one.close()
    other.close()
