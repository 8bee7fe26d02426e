"""What a handler process runs first: end with the worker, and find the worker's modules.

Run as a file, with the standard library only: until the first message has come, this process does not know
where to import from. All the rest is in `handler_child`.
"""

import ctypes
import os
import pickle
import signal
import socket
import struct
import sys
from multiprocessing import spawn
from typing import Any

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Have the kernel kill this process when the worker dies, even while a handler holds the GIL (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that call
        os._exit(1)


def read_message(connection: socket.socket) -> Any:
    """Read one frame, as `corral.worker.isolation.frames` writes them."""
    header = connection.recv(8, socket.MSG_WAITALL)
    if len(header) < 8:
        os._exit(1)
    return pickle.loads(connection.recv(struct.unpack("<Q", header)[0], socket.MSG_WAITALL))  # noqa: S301


def main() -> None:
    """Prepare as `multiprocessing` does for a spawned child, then serve jobs."""
    descriptor, parent = int(sys.argv[1]), int(sys.argv[2])
    die_with(parent)
    connection = socket.socket(fileno=descriptor)
    connection.set_inheritable(False)
    _, preparation, log_settings = read_message(connection)
    # The main module is imported when a job needs it: that of `corral worker` would cost much and give
    # nothing.
    main_module = {key: preparation.pop(key) for key in list(preparation) if key.startswith("init_main")}
    spawn.prepare(preparation)

    from corral.worker.isolation.handler_child import HandlerChild

    HandlerChild(connection, main_module, log_settings).serve()


if __name__ == "__main__":
    main()
