"""A program for the tests: a user of an embedded server in a process of its own.

`python member.py DIRECTORY PROGRAM` joins (the server, if it has to be started, is that program), prints the
server's URL, and leaves when its standard input ends.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from corral.embedded import EmbeddedServer

if __name__ == "__main__":
    program = patch("corral.embedded.server.find_server", lambda: Path(sys.argv[2]))
    with program, EmbeddedServer(sys.argv[1]) as server:
        print(server.url, flush=True)
        sys.stdin.read()
