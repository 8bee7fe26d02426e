"""Inside a handler process: takes jobs from the worker, runs their handlers, sends back what became of them."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import datetime
from multiprocessing import spawn
from queue import SimpleQueue
from typing import Any, NoReturn

from corral.contracts.context import JobKind
from corral.contracts.outcome import HandlerSignal
from corral.logs import enter_job, flush, get_logger
from corral.logs.setup import ChildSettings, configure_child
from corral.worker.isolation.frames import Frames, encode

FLUSH_TIMEOUT = 0.2


class ProcessContext:
    """What an `InProcess` handler gets as its second argument: the same names as elsewhere, blocking.

    `progress` and `log` hand over to the worker and do not wait; when the run turns out to be superseded,
    the process is killed.
    """

    def __init__(
        self, fields: dict[str, Any], cancelled: threading.Event, send: Callable[[Any], None]
    ) -> None:
        self.job_id: str = fields["job_id"]
        self.queue: str = fields["queue"]
        self.name: str = fields["name"]
        self.attempt: int = fields["attempt"]
        self.attempts: int = fields["attempts"]
        self.kind: JobKind = fields["kind"]
        self.timestamp: datetime | None = fields["timestamp"]
        self.cancelled = cancelled
        """Set when the handler should stop; `is_set()` and `wait(timeout)`. The process is killed a moment later."""
        self.logger = get_logger(f"jobs:{self.queue}")
        self._send = send

    def progress(self, value: Any) -> None:
        """Store and announce how far the job is: any JSON value."""
        self._send(("progress", value))

    def log(self, text: str) -> None:
        """Add a line to the job's own log, which is kept with it."""
        self._send(("log", text))


class HandlerChild:
    """Runs one job at a time on the main thread, while another thread listens to the worker.

    That thread ends the process when the worker is gone, and passes on that a job is to stop.
    """

    def __init__(
        self, connection: socket.socket, main_module: dict[str, Any], log_settings: ChildSettings | None
    ) -> None:
        self._connection = connection
        self._main_module = main_module
        self._log_settings = log_settings
        self._jobs: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._cancelled = threading.Event()
        self._sending = threading.Lock()

    def serve(self) -> None:
        """Run jobs until the worker is gone or kills this process."""
        # Functions and not SIG_IGN: what a handler starts would inherit that. The worker decides when this
        # one ends.
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, _stay)
        configure_child(self._log_settings)
        threading.Thread(target=self._listen, name="corral-worker-listener", daemon=True).start()
        self._send(("ready",))
        while True:
            self._run(*self._jobs.get())

    def _listen(self) -> None:
        frames = Frames()
        while True:
            try:
                data = self._connection.recv(262144)
            except OSError:
                data = b""
            if not data:
                os._exit(1)
            frames.feed(data)
            while (message := frames.next()) is not None:
                if message[0] == "cancel":
                    self._cancelled.set()
                else:
                    self._cancelled = threading.Event()
                    self._jobs.put(message[1:])

    def _run(self, call: bytes, fields: dict[str, Any] | None, scope: tuple[str, str, int] | None) -> None:
        try:
            function, payload = self._load(call)
            if scope:
                enter_job(*scope)
            self._send(("started",))
            if fields is None:
                result = function(payload)
            else:
                result = function(payload, ProcessContext(fields, self._cancelled, self._send))
            answer = _returned(result)
        except SystemExit as leave:
            _exit(leave)
        except BaseException as error:  # noqa: BLE001 (a handler may raise anything; the worker decides what it means)
            answer = _raised(error)
        flush(FLUSH_TIMEOUT)  # this process may be killed at any time from here on
        self._send(answer)

    def _load(self, call: bytes) -> tuple[Callable[..., Any], Any]:
        if self._main_module and b"__main__" in call:
            spawn.prepare(self._main_module)
            self._main_module = {}
        function, payload = pickle.loads(call)  # noqa: S301 (from the worker, on our own socket pair)
        return function, payload

    def _send(self, message: Any) -> None:
        with self._sending:
            self._connection.sendall(encode(message))


def _returned(result: Any) -> tuple[Any, ...]:
    try:
        return ("returned", pickle.dumps(result, pickle.HIGHEST_PROTOCOL))
    except Exception as error:
        raise TypeError(f"the handler's result cannot be pickled for the worker: {error}") from error


def _raised(error: BaseException) -> tuple[Any, ...]:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 (__str__ of a handler's own exception)
        text = ""
    try:
        trace = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001
        trace = ""
    pickled = None
    if isinstance(error, HandlerSignal):
        with contextlib.suppress(Exception):
            pickled = pickle.dumps(error)
    return ("raised", type(error).__name__, text, trace, pickled)


def _exit(leave: SystemExit) -> NoReturn:
    """End as the handler asked. At once: its threads could hold a normal exit up."""
    code = leave.code
    if isinstance(code, str):
        sys.stderr.write(code + "\n")
    flush()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code & 0xFF if isinstance(code, int) else int(code is not None))


def _stay(_signum: int, _frame: object) -> None:
    pass
