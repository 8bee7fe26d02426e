"""A program for supervisors under test: it reports to a socket and does what it is told there."""

import os
import signal
import socket
import sys

from corral.worker.supervision.lifeline import hold_lifeline

hold_lifeline()
line = socket.socket(socket.AF_UNIX)
line.connect(sys.argv[1])
signals = 0
stubborn = False


def note(_number: int, _frame: object) -> None:
    """Report a signal; end by it, as a worker does, unless told not to."""
    global signals
    signals += 1
    line.sendall(f"signal {signals}\n".encode())
    if not stubborn:
        os._exit(0)


signal.signal(signal.SIGTERM, note)
line.sendall(f"{os.getpid()}\n".encode())
for command in line.makefile():
    word, _, argument = command.strip().partition(" ")
    if word == "exit":
        os._exit(int(argument))
    if word == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == "stubborn":
        stubborn = True
        line.sendall(b"stubborn\n")
