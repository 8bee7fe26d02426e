"""Handlers for processes of their own; at the top level of a module, because another process has to find them."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corral.contracts.outcome import RetryAt, Snooze, Unrecoverable
from corral.worker.isolation.handler_child import ProcessContext


@dataclass(frozen=True)
class Image:
    """A payload."""

    name: str
    width: int


def resize(image: Image) -> Image:
    """Return a result."""
    return Image(image.name, image.width // 2)


def pid(_: object) -> int:
    """Say which process this is."""
    return os.getpid()


def meet(marker: str) -> int:
    """Say which process this is once the test lets it: it has met the others by then."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(marker)
        connection.recv(1)
    return os.getpid()


def refuse(text: str) -> None:
    """Raise an ordinary exception."""
    raise LookupError(text)


def refuse_oddly(_: object) -> None:
    """Raise an exception that cannot be shown."""

    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    raise Odd


def signal_of(kind: str) -> None:
    """Raise one of the signals that a handler may give."""
    from datetime import UTC, datetime

    raise {
        "snooze": Snooze(5),
        "retry": RetryAt(datetime(2030, 1, 1, tzinfo=UTC)),
        "fatal": Unrecoverable("bad address"),
    }[kind]


def die(how: str) -> None:
    """End the process in some way."""
    match how:
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "_exit":
            os._exit(7)
        case "exit":
            sys.exit(3)
        case "exit-ok":
            sys.exit()


def unpicklable(_: object) -> Any:
    """Return what no other process can be given."""
    return lambda: None


def hang(marker: str) -> None:
    """Say which process this is, then hold the GIL for ever."""
    announce(marker, str(os.getpid()))
    while True:
        pow(3, 200_000)


def hang_with_child(marker: str) -> None:
    """Start a program, say its process id, and wait for it for ever."""
    program = subprocess.Popen(["sleep", "1000"])
    announce(marker, str(program.pid))
    program.wait()


def announce(marker: str, text: str) -> None:
    """Connect to the test's Unix socket and tell it something."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(marker)
        connection.sendall(text.encode())


def wait_for_cancel(_: object, ctx: ProcessContext) -> None:
    """Leave cleanly when told to stop."""
    ctx.progress("ready")
    if ctx.cancelled.wait(30):
        ctx.log("left cleanly")


def use_context(_: object, ctx: ProcessContext) -> tuple[str, int]:
    """Use all of the context."""
    ctx.progress({"done": 50})
    ctx.log("half of it")
    ctx.progress(100)
    return ctx.job_id, ctx.attempt


def open_sockets(_: object) -> int:
    """Count the sockets that this process has besides the one to its worker."""
    links = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sum(str(link).startswith("socket:") for link in links) - 1


def ignore_everything(marker: str) -> None:
    """Be deaf to what can be ignored."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    announce(marker, str(os.getpid()))
    while True:
        time.sleep(100)  # a slow handler
