"""`corral top`: all queues, live in the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.live import Live

from corral.admin.admin import Admin
from corral.cli.keyboard import listening_to_keys
from corral.cli.operate import operate
from corral.cli.options import Json, Prefix, Url, duration
from corral.cli.output import console, print_json
from corral.cli.top_frame import Frame, Reader
from corral.cli.top_screen import Sight, draw
from corral.errors import CorralError

__all__ = ["top"]

STEPS: Final = {"up": -1, "k": -1, "down": 1, "j": 1}
QUIT: Final = ("q", "end")


def top(
    every: Annotated[
        timedelta, typer.Option(parser=duration, metavar="TIME", help="Between two looks.")
    ] = "2s",  # type: ignore[assignment]
    url: Url = None,
    prefix: Prefix = None,
    as_json: Json = False,
) -> None:
    """Watch all queues: jobs by state, rates, latencies, workers and failures. q quits.

    Without a terminal, or with --json, it shows one look and ends.
    """
    if not as_json and sys.stdin.isatty() and sys.stdout.isatty():
        operate(url, prefix, lambda admin: Top(admin, max(0.1, every.total_seconds())).run())
        return
    operate(url, prefix, lambda admin: _show_once(admin, as_json=as_json))


async def _show_once(admin: Admin, *, as_json: bool) -> None:
    frame = await Reader(admin).read()
    if as_json:
        print_json({"at": frame.at, "queues": frame.queues, "workers": frame.view.workers})
    else:
        console().print(draw(frame, Sight(admin.server.settings.address, is_live=False)))


class Top:
    """The screen and the person in front of it: looks every two seconds, and draws again at each look, key, and change
    of size.

    A reader works beside it, so that keys are heard while a server does not answer.
    """

    def __init__(self, admin: Admin, interval: float) -> None:
        self._reader = Reader(admin)
        self._interval = interval
        self._sight = Sight(admin.server.settings.address)
        self._frame: Frame | None = None
        self._events: asyncio.Queue[str] = asyncio.Queue()
        self._urge = asyncio.Event()
        self._console = Console(highlight=False, markup=False)

    async def run(self) -> None:
        """Show it until somebody quits."""
        loop = asyncio.get_running_loop()
        for number, event in ((signal.SIGWINCH, "resized"), (signal.SIGINT, "q"), (signal.SIGTERM, "q")):
            loop.add_signal_handler(number, self._events.put_nowait, event)
        reading = asyncio.create_task(self._read())
        try:
            with (
                listening_to_keys(self._events.put_nowait),
                Live(console=self._console, screen=True, auto_refresh=False) as live,
            ):
                while (event := await self._next(reading)) not in QUIT:
                    self._take(event)
                    if self._frame is not None:
                        live.update(draw(self._frame, self._sight, *self._console.size), refresh=True)
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _next(self, reading: asyncio.Task[None]) -> str:
        """The next event. Raises what the reader raises."""
        event = asyncio.create_task(self._events.get())
        await asyncio.wait({event, reading}, return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            event.cancel()
            reading.result()
        return await event

    def _take(self, event: str) -> None:
        if event == "p":
            self._sight = replace(self._sight, is_frozen=not self._sight.is_frozen)
            self._urge.set()
        elif event in STEPS and self._frame is not None:
            names = [one.queue for one in self._frame.queues]
            if self._frame.chosen in names:
                at = names.index(self._frame.chosen) + STEPS[event]
                chosen = names[max(0, min(at, len(names) - 1))]
                groups = self._frame.groups if chosen == self._frame.chosen else None
                self._frame = replace(self._frame, chosen=chosen, groups=groups)
                self._urge.set()

    async def _read(self) -> None:
        while True:
            self._urge.clear()
            chosen = self._frame.chosen if self._frame is not None else ""
            try:
                frame = await self._reader.read(chosen)
                self._accept(frame)
            except CorralError as error:
                if self._frame is None:
                    raise
                self._sight = replace(self._sight, trouble=str(error))
            self._events.put_nowait("read")
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._urge.wait()
            while self._sight.is_frozen:
                self._urge.clear()
                await self._urge.wait()

    def _accept(self, frame: Frame) -> None:
        chosen = "" if self._frame is None else self._frame.chosen
        if chosen != frame.chosen and any(one.queue == chosen for one in frame.view.queues):
            # The person has gone on meanwhile: the failures that were read are another queue's.
            frame = replace(frame, chosen=chosen, groups=None)
        self._frame, self._sight = frame, replace(self._sight, trouble="")
