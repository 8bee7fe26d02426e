"""The effects of one run that happen once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from corral.contracts.duration import Duration
from corral.contracts.effect import EffectUnderWay, check_effect
from corral.contracts.effect_result import effect_codec, effect_result
from corral.contracts.names import decode_job_id
from corral.engine.keys import QueueKeys
from corral.engine.record import Refusal
from corral.engine.recover import Held
from corral.engine.report_effect import HAPPENED, INSIDE, begin_effect, finish_effect, leave_effect
from corral.engine.server import Server
from corral.errors import JobGone, StaleRun

__all__ = ["Effects"]

T = TypeVar("T")


class Effects:
    """Runs an effect between two calls of the server: one asks whether it has happened, the other keeps its result.

    What is returned is what was kept, read back, in the first run as in all later ones. Calls of one run for the same
    key come one after the other.
    """

    def __init__(self, server: Server, keys: QueueKeys, held: Held, job_id: str) -> None:
        self._server = server
        self._keys = keys
        self._held = held
        self._job_id = job_id
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def once(self, key: str, effect: Callable[[], Awaitable[T]], keep: Duration) -> T:
        """See `Context.once`."""
        keep_ms, codec = check_effect(key, keep), effect_codec(key, effect)
        async with self._turns[key]:
            happened = await self._begin(key)
            if happened is None:
                happened = effect_result(key, codec, await self._perform(key, effect))
                await self._finish(key, happened, keep_ms)
        value: T = codec.decode(happened)
        return value

    async def _begin(self, key: str) -> bytes | None:
        """The result of an effect that has happened; None when it may begin."""
        code, said = await self._server.patiently(
            lambda: begin_effect(self._server, self._keys, self._held, key)
        )
        if code == Refusal.NO_JOB:
            raise JobGone(self._job_id)
        if code < 0:
            raise StaleRun(self._job_id)
        if code == INSIDE:
            raise EffectUnderWay(key, decode_job_id(said.decode("utf-8", "surrogateescape")))
        return said if code == HAPPENED else None

    async def _perform(self, key: str, effect: Callable[[], Awaitable[Any]]) -> Any:
        try:
            return await effect()
        except Exception:
            await self._server.patiently(lambda: leave_effect(self._server, self._keys, self._held, key))
            raise

    async def _finish(self, key: str, result: bytes, keep_ms: int) -> None:
        code = await self._server.patiently(
            lambda: finish_effect(self._server, self._keys, self._held, key, result, keep_ms)
        )
        if code < 0:
            raise StaleRun(self._job_id)
