"""A TCP proxy that misbehaves on purpose: between a client and a real server, it loses, delays, holds and cuts."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from types import TracebackType
from typing import Literal, Self

Action = Literal["swallow", "lose-request", "lose-reply", "hold"]


class Rule:
    """What happens to the next requests that contain some bytes. `seen` is set when it has happened `times`."""

    def __init__(self, action: Action, match: bytes, times: int) -> None:
        self.action = action
        self.match = match
        self.left = times
        self.seen = threading.Event()
        self.released = asyncio.Event()
        self.passed = threading.Event()

    def apply(self) -> None:
        """Count one request."""
        self.left -= 1
        if self.left == 0:
            self.seen.set()


class _Pair:
    """One client's connection and the proxy's own to the server."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.deaf = False
        self.on_deaf: threading.Event | None = None
        self.passed = 0

    def end(self, *, reset: bool = False) -> None:
        """Close both sides; with `reset` the client gets RST instead of an orderly end."""
        for writer in (self.client, self.server):
            if reset:
                raw = writer.get_extra_info("socket")
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with contextlib.suppress(Exception):
                writer.transport.abort()


class Proxy:
    """Listens on a loopback port, in a thread with a loop of its own, and passes on to `target`.

    `latency` delays each piece, both ways. `black_hole` swallows everything and closes nothing, as a firewall that
    drops packets does. `cut_after` ends a connection after so many bytes of replies. The other troubles happen to
    single requests: `swallow`, `lose_request`, `lose_reply` (the server has carried it out), `hold`.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self.latency = 0.0
        self.black_hole = False
        self.cut_after: int | None = None
        self.connections = 0
        self.requests = 0
        self._requests: list[bytes] = []
        self._rules: list[Rule] = []
        self._pairs: set[_Pair] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"redis://127.0.0.1:{self.port}/0"

    def requests_with(self, match: bytes) -> int:
        """How many requests had these bytes."""
        return sum(match in request for request in self._requests)

    def swallow(self, match: bytes, times: int = 1) -> Rule:
        """The next request with these bytes never reaches the server, and nobody is told."""
        return self._rule("swallow", match, times)

    def lose_request(self, match: bytes, times: int = 1) -> Rule:
        """The next request with these bytes never reaches the server, and its connection ends."""
        return self._rule("lose-request", match, times)

    def lose_reply(self, match: bytes, times: int = 1) -> Rule:
        """The next request with these bytes is carried out, its reply is lost, and its connection ends."""
        return self._rule("lose-reply", match, times)

    def hold(self, match: bytes) -> Rule:
        """The next request with these bytes is kept back until `release`, though its sender be gone by then."""
        return self._rule("hold", match, 1)

    def release(self, rule: Rule) -> None:
        """Pass on what `hold` has kept back."""
        self._loop.call_soon_threadsafe(rule.released.set)

    def reset(self) -> None:
        """Reset all connections."""
        self._loop.call_soon_threadsafe(self._reset)

    def _rule(self, action: Action, match: bytes, times: int) -> Rule:
        rule = Rule(action, match, times)
        self._rules.append(rule)
        return rule

    def _reset(self) -> None:
        for pair in list(self._pairs):
            pair.end(reset=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, to_server)
        self._pairs.add(pair)
        replies = asyncio.ensure_future(self._pass_replies(pair, from_server))
        try:
            await self._pass_requests(pair, reader)
            if self.black_hole or pair.deaf:
                await replies
        except OSError:
            pass
        finally:
            replies.cancel()
            pair.end()
            self._pairs.discard(pair)

    async def _pass_requests(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(1 << 20):
            self.requests += 1
            self._requests.append(data[:256])
            if self.latency:
                await asyncio.sleep(self.latency)  # a slow handler of bytes: this is what the proxy is for
            if self.black_hole:
                continue
            rule = next((rule for rule in self._rules if rule.left and rule.match in data), None)
            if rule is not None:
                rule.apply()
                if rule.action == "lose-request":
                    return
                if rule.action == "swallow":
                    continue
                if rule.action == "hold":
                    await self._keep_back(rule, pair, data)
                    continue
                pair.deaf = rule.action == "lose-reply"
            pair.server.write(data)
            await pair.server.drain()

    async def _keep_back(self, rule: Rule, pair: _Pair, data: bytes) -> None:
        await rule.released.wait()
        pair.server.write(data)
        await pair.server.drain()
        # What the server says to it is for nobody; when it says something, it has carried it out.
        pair.deaf, pair.on_deaf = True, rule.passed

    async def _pass_replies(self, pair: _Pair, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(1 << 20):
                if self.latency:
                    await asyncio.sleep(self.latency)  # a slow handler of bytes
                if pair.deaf:
                    if pair.on_deaf is not None:
                        pair.on_deaf.set()
                    break
                if self.black_hole:
                    continue
                if self.cut_after is not None and pair.passed + len(data) > self.cut_after:
                    pair.client.write(data[: self.cut_after - pair.passed])
                    await pair.client.drain()
                    break
                pair.passed += len(data)
                pair.client.write(data)
                await pair.client.drain()
        pair.end()

    def __enter__(self) -> Self:
        self._thread.start()
        made = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._accept, "127.0.0.1", 0), self._loop
        )
        self._server = made.result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        mine = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not mine]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
