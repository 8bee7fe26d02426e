"""A worker process that ends with its supervisor, however that ends."""

from __future__ import annotations

import os
import threading
from collections.abc import MutableMapping
from typing import Final

from corral.worker.isolation.handler_program import die_with

__all__ = ["LIFELINE", "hold_lifeline"]

LIFELINE: Final = "CORRAL_SUPERVISOR"
"""Names, for a supervised process, its supervisor's process id and the pipe that closes with it."""


def hold_lifeline(environ: MutableMapping[str, str] = os.environ) -> bool:
    """In a supervised process: die when the supervisor dies. False, and nothing done, in any other process.

    It dies at once and writes nothing more: whoever killed the supervisor alone (`kill -9`, out of memory) left nobody
    to restart it or to stop it, and its jobs are recovered as those of any dead worker. The kernel sees to it on
    Linux; elsewhere a thread does, which notices that the pipe closed.
    """
    value = environ.pop(LIFELINE, None)
    if value is None:
        return False
    supervisor, descriptor = (int(part) for part in value.split(":"))
    os.set_inheritable(descriptor, False)
    die_with(supervisor)
    threading.Thread(target=_watch, args=(descriptor,), name="corral-lifeline", daemon=True).start()
    return True


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 1):  # nobody writes: this returns when the other end is closed
        pass
    os._exit(1)
