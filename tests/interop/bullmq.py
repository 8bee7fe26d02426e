"""Node's BullMQ, driven through its public API: a process for each version, a line of JSON for each request.

The process outlives the event loop of a single test (a thread reads it), so one serves a whole run.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import subprocess
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

PROJECT = Path(__file__).parent / "node"
PORT = Path(__file__).parent / "port"
REMEDY = "run `make interop`, which installs them (it needs Node.js 18 or newer and npm)"

#: The versions that Corral promises to work with: the name in package.json → the version.
VERSIONS = {"5-61": "5.61.2", "5-81": "5.81.3", "6-7": "6.7.0"}
NEWEST = "6-7"
#: BullMQ's own port to Python, which tests marked `port` meet as well.
PORT_VERSION = {"port": "3.4.4"}


class NodeError(Exception):
    """A command failed inside Node: its error's name, message and code."""

    def __init__(self, command: str, name: str, message: str, code: object) -> None:
        """Keep what Node said."""
        super().__init__(f"{command}: {name}: {message}")
        self.name = name
        self.message = message
        self.code = code


class Node:
    """A Node process that holds one BullMQ version. `await node.call("add", …)` from any event loop."""

    def __init__(self, version: str) -> None:
        """Prepare the process for `version`, a key of VERSIONS, or "port"."""
        self.version = version
        self._process: subprocess.Popen[str] | None = None
        self._ids = itertools.count(1)
        self._pending: dict[int, tuple[str, Future[Any]]] = {}
        self._stderr: deque[str] = deque(maxlen=50)

    def start(self) -> Self:
        """Start the process; fail the test, with the remedy, when Node or the packages are missing."""
        command, folder = self._command()
        pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        try:
            self._process = subprocess.Popen(command, cwd=folder, text=True, **pipes)
        except FileNotFoundError:
            pytest.fail(f"{command[0]} is not there: {REMEDY}", pytrace=False)
        for reader in (self._read_replies, self._read_stderr):
            threading.Thread(target=reader, args=(self._process,), daemon=True).start()
        return self

    def _command(self) -> tuple[list[str], Path]:
        if self.version in PORT_VERSION:
            return [str(PORT.parents[2] / ".venv/port/bin/python"), "driver.py"], PORT
        if not (PROJECT / "node_modules" / f"bullmq-{self.version}").is_dir():
            pytest.fail(
                f"BullMQ {VERSIONS[self.version]} is not installed in {PROJECT}: {REMEDY}", pytrace=False
            )
        return ["node", "driver.js", self.version], PROJECT

    def kill9(self) -> None:
        """Kill the process as a crash does: nothing is closed, no lock given back."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def close(self) -> None:
        """End the process (it ends with its stdin)."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(5)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(5)
        self._process = None

    def __enter__(self) -> Self:
        """Start the process."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()

    async def call(self, command: str, *, within: float = 30.0, **args: Any) -> Any:
        """Run one command of the driver and return its result; `within` seconds at most."""
        try:
            async with asyncio.timeout(within):
                return await asyncio.wrap_future(self._send(command, args))
        except TimeoutError:
            pytest.fail(f"Node did not answer {command} within {within} s; {self._said()}")

    def _send(self, command: str, args: dict[str, Any]) -> Future[Any]:
        assert self._process is not None, "the Node process was not started"
        assert self._process.stdin is not None
        number = next(self._ids)
        future: Future[Any] = Future()
        self._pending[number] = (command, future)
        self._process.stdin.write(json.dumps({"id": number, "command": command, "args": args}) + "\n")
        self._process.stdin.flush()
        return future

    def _read_replies(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                self._settle(json.loads(line))
        for command, future in list(self._pending.values()):
            future.set_exception(NodeError(command, "Ended", f"the Node process ended; {self._said()}", None))
        self._pending.clear()

    def _settle(self, reply: dict[str, Any]) -> None:
        command, future = self._pending.pop(reply["id"])
        if not future.set_running_or_notify_cancel():
            return
        error = reply.get("error")
        if error:
            future.set_exception(NodeError(command, error["name"], error["message"], error.get("code")))
        else:
            future.set_result(reply["result"])

    def _read_stderr(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr as lines:
            self._stderr.extend(line.rstrip() for line in lines)

    def _said(self) -> str:
        return "its last words: " + ("\n".join(self._stderr) or "none")


@dataclass(frozen=True)
class NodeQueue:
    """One queue as a Node process sees it: the commands of `Node`, with the address filled in."""

    node: Node
    url: str
    prefix: str
    name: str

    async def call(self, command: str, **args: Any) -> Any:
        """Run a command of the driver on this queue."""
        return await self.node.call(command, url=self.url, prefix=self.prefix, queue=self.name, **args)

    async def add(self, name: str, data: Any, **opts: Any) -> str:
        """Add one job, with BullMQ's options; return its id."""
        job = await self.call("add", name=name, data=data, opts=opts)
        return str(job["id"])

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return what Job.fromId reads."""
        job = await self.call("getJob", jobId=job_id)
        assert job is not None, f"Node finds no job {job_id}"
        return dict(job)

    async def state(self, job_id: str) -> str:
        """Return the state that Node sees the job in."""
        return str(await self.call("getState", jobId=job_id))

    async def counts(self) -> dict[str, int]:
        """Return the counts of all states that are not zero."""
        return {state: n for state, n in (await self.call("getJobCounts")).items() if n}


@dataclass(frozen=True)
class Heard:
    """What a QueueEvents of BullMQ's has heard, in order: the signal that tests wait for, whoever caused it."""

    bull: NodeQueue

    async def until(
        self, *events: str, count: int = 1, job_id: str | None = None, within: float = 20.0
    ) -> None:
        """Wait until `count` events of these names were heard (of one job, with `job_id`)."""
        args: dict[str, Any] = {"event": events, "count": count, "jobId": job_id, "timeout": within * 1000}
        await self.bull.node.call("waitEvents", events="heard", within=within + 5, **args)

    async def entries(self) -> list[dict[str, Any]]:
        """Return all that was heard: `event`, `fields` and the stream `id` of each."""
        entries = await self.bull.node.call("events", events="heard")
        return list(entries)

    async def names(self) -> list[str]:
        """Return the names of the events in order."""
        return [entry["event"] for entry in await self.entries()]

    async def of(self, job_id: str) -> list[str]:
        """Return the names of one job's events in order."""
        return [entry["event"] for entry in await self.entries() if entry["fields"].get("jobId") == job_id]
