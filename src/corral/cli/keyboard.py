"""Keys as they are pressed, without Enter."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["keys_of", "listening_to_keys"]

_KEY: Final = re.compile(r"\x1b[\[O]([ABCD])|\x1b\[[0-9;]*[~A-Za-z]|(.)", re.DOTALL)
_ARROWS: Final = {"A": "up", "B": "down", "C": "right", "D": "left"}


@contextmanager
def listening_to_keys(on_key: Callable[[str], None]) -> Iterator[None]:
    """Tell of each key on standard input, which has to be a terminal; at its end of `end`. The terminal is left as it
    was found."""
    import termios  # not on every system: only this command needs it
    import tty

    file = sys.stdin.fileno()
    before = termios.tcgetattr(file)
    loop = asyncio.get_running_loop()

    def read() -> None:
        text = os.read(file, 1024).decode(errors="replace")
        if not text:
            loop.remove_reader(file)
        for key in keys_of(text) if text else ["end"]:
            on_key(key)

    tty.setcbreak(file)
    loop.add_reader(file, read)
    try:
        yield
    finally:
        loop.remove_reader(file)
        termios.tcsetattr(file, termios.TCSADRAIN, before)


def keys_of(text: str) -> list[str]:
    """What a terminal has sent, as keys: letters as they are, arrows as `up` and `down`; other sequences are none."""
    found = []
    for match in _KEY.finditer(text):
        if match[1] is not None:
            found.append(_ARROWS[match[1]])
        elif match[2] is not None:
            found.append(match[2])
    return found
