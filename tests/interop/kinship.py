"""Looking through a family on a server, to know what both engines would do differently with it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.interop.snapshot import Raw


@dataclass
class Kinship:
    """The families on a server. Jobs are named by their keys."""

    raw: Raw

    async def hides_a_run(self, job_key: str) -> bool:
        """Say whether below a child that has ended there is one that runs."""
        for child in await self._finished(job_key):
            if await self._has_a_run(child):
                return True
        return any([await self.hides_a_run(child) for child in await self._unfinished(job_key)])

    async def _has_a_run(self, job_key: str) -> bool:
        if await self._is_held(job_key):
            return True
        family = [*await self._finished(job_key), *await self._unfinished(job_key)]
        return any([await self._has_a_run(child) for child in family])

    async def _is_held(self, job_key: str) -> bool:
        return bool(await self.raw.exists(f"{job_key}:lock"))

    async def _unfinished(self, job_key: str) -> list[str]:
        return list(await self.raw.smembers(f"{job_key}:dependencies"))

    async def _finished(self, job_key: str) -> list[str]:
        """Those that have ended, in whatever way, while it waited for them."""
        hashes = [await self.raw.hkeys(f"{job_key}:{part}") for part in ("processed", "failed")]
        return [*hashes[0], *hashes[1], *await self.raw.zrange(f"{job_key}:unsuccessful", 0, -1)]
