"""The keeper: a small process between the users of a data directory and its one server.

It is run by path and imports nothing but the standard library (`python -I -S keeper.py`), so that it starts
in milliseconds and stays small. It detaches from whoever started it, holds the `keeper` lock for as long as
it lives, starts the server, starts it again when it dies, and stops it when nobody holds the `users` lock
any more.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

_PAUSE = 0.01


def ask(address: str, command: str, timeout: float = 1.0) -> str:
    """Send one command to the server on that socket and return the first line of its answer ("" for none)."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout)
            connection.connect(address)
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(4096).decode(errors="replace").strip()
    except OSError:
        return ""


def answers(address: str) -> bool:
    """Tell whether the server on that socket has loaded its data and takes commands."""
    return ask(address, "PING") == "+PONG"


class Keeper:
    """Runs one server until the last user has gone.

    The server inherits the descriptor of the `server` lock: even when the keeper is killed, nobody starts a
    second server on the same files while the first one lives.
    """

    def __init__(self, locks: Path, address: str, command: list[str]) -> None:
        self._users = os.open(locks / "users", os.O_RDWR | os.O_CREAT, 0o600)
        self._server_lock = os.open(locks / "server", os.O_RDWR | os.O_CREAT, 0o600)
        self._address = address
        self._command = command
        self._leaving = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Keep the server up; return when it has ended for good, as one does that never got ready."""
        fcntl.flock(self._server_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        threading.Thread(target=self._leave_after_the_last_user, daemon=True).start()
        while not self._leaving.is_set():
            self._server = subprocess.Popen(self._command, pass_fds=[self._server_lock])
            if self._leaving.is_set():
                self._server.terminate()
            ready = self._wait_ready(self._server)
            self._server.wait()
            if not ready:
                return

    def leave(self) -> None:
        """Stop the server; `run` returns when it has written its data and ended."""
        self._leaving.set()
        if self._server is not None:
            self._server.terminate()

    def _wait_ready(self, server: subprocess.Popen[bytes]) -> bool:
        while server.poll() is None:
            if answers(self._address):
                return True
            time.sleep(_PAUSE)
        return False

    def _leave_after_the_last_user(self) -> None:
        fcntl.flock(self._users, fcntl.LOCK_EX)  # held until this process ends: newcomers wait for that
        self.leave()


def main(locks: Path, address: str, command: list[str]) -> None:
    """Take the `keeper` lock, detach, and keep a server."""
    own_lock = os.open(locks / "keeper", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(own_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if (
        os.fork()
    ):  # the starter waits for this process; its child, which holds the lock too, is nobody's child
        os._exit(0)
    keeper = Keeper(locks, address, command)
    os.umask(0o077)  # what jobs carry is for this user's eyes only
    signal.signal(signal.SIGTERM, lambda _number, _frame: keeper.leave())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        keeper.run()
    finally:
        Path(address).unlink(missing_ok=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
