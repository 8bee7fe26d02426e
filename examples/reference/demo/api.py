"""The API on a socket that is listened to already: `python -m examples.reference.demo.api 7`, by its descriptor."""

from __future__ import annotations

import socket
import sys

import uvicorn

from corral.worker.supervision.lifeline import hold_lifeline
from shop.api.app import create_app


def _main() -> None:
    hold_lifeline()  # ends with the demo, however that ends
    server = uvicorn.Server(uvicorn.Config(create_app(), log_level="info"))
    server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    _main()
