"""Says which code keeps the event loop from running."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
import traceback
from types import TracebackType
from typing import Self

from corral.logs import get_logger

THRESHOLD = 5.0
LONGEST_INTERVAL = 1.0

log = get_logger("corral.worker.watchdog")


class Watchdog:
    """Watches the loop from a thread: the loop notes the time once a second, the thread looks how old the note is.

    When it is older than `threshold` seconds, a warning shows where the loop's thread is, once per block;
    when the loop runs again, a line says for how long it did not. Code that holds the GIL stops the thread
    as well: then the block is reported when it is over, without a place. Jobs keep their locks meanwhile
    (see `Lease`), but nothing is settled, no timeout fires and no signal is heard.
    """

    def __init__(self, threshold: float = THRESHOLD) -> None:
        self._threshold = threshold
        self._interval = min(LONGEST_INTERVAL, threshold / 2)
        self._beaten = time.monotonic()
        self._reported = False
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.blocks = 0
        """How many blocks there were."""

    def start(self) -> None:
        """Watch the running loop. Call it in the loop's thread."""
        loop = asyncio.get_running_loop()
        self._beaten = time.monotonic()
        self._stop.clear()
        self._timer = loop.call_later(self._interval, self._beat, loop)
        self._thread = threading.Thread(
            target=self._watch, args=(loop, threading.get_ident()), name="corral-watchdog", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer."""
        self._stop.set()
        if self._timer:
            self._timer.cancel()
        if self._thread:
            self._thread.join(self._interval)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        now = time.monotonic()
        pause, self._beaten = now - self._beaten, now
        reported, self._reported = self._reported, False
        self._timer = loop.call_later(self._interval, self._beat, loop)
        if reported:
            log.info("Event loop runs again", seconds=round(pause, 1))
        elif pause > self._threshold + self._interval:
            self.blocks += 1
            log.warning(
                "Event loop did not run: code held the GIL, or the process was stopped",
                seconds=round(pause, 1),
            )

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while True:
            slept_at = time.monotonic()
            if self._stop.wait(self._interval):
                return
            now = time.monotonic()
            # When this thread was late too, the whole process stood still. The loop gets its turn first.
            everything_stood = now - slept_at > self._interval + self._threshold / 2
            if not everything_stood and not self._reported and now - self._beaten > self._threshold:
                self._report(loop, thread, now - self._beaten)

    def _report(self, loop: asyncio.AbstractEventLoop, thread: int, seconds: float) -> None:
        frame = sys._current_frames().get(thread)
        task = asyncio.current_task(loop)
        self._reported = True
        self.blocks += 1
        log.warning(
            "Event loop is blocked: run blocking code in InThread or InProcess",
            seconds=round(seconds, 1),
            task=task.get_name() if task else None,
            stack="".join(traceback.format_stack(frame)),
        )
