"""One clock for both engines, which only the test moves: what they compute from it is the same to the millisecond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from corral.engine.keys import QueueKeys
from corral.engine.link import Link, Word
from corral.engine.script import Script
from tests.interop.bullmq import Node

START = 1_806_174_000_000
"""27 March 2027, 19:00 UTC: summer time begins in Europe that night."""


@dataclass
class Clock:
    """What Node's process takes for the time, and what every script of Corral is given for it."""

    node: Node
    now: int = START

    async def set(self, now: int) -> None:
        """It is `now` on both sides."""
        self.now = now
        await self.node.call("setClock", now=now)

    def hold_corrals(self, patch: pytest.MonkeyPatch) -> None:
        """From here on scripts are given this time where they would ask the server."""
        run = Link.run

        async def run_at(
            link: Link, script: Script, keys: QueueKeys, *arguments: Word, timeout: float | None = None
        ) -> Any:
            return await run(link, script, keys, *self._filled(script, arguments), timeout=timeout)

        patch.setattr(Link, "run", run_at)

    def _filled(self, script: Script, arguments: tuple[Word, ...]) -> tuple[Word, ...]:
        if "now" not in script.arguments:
            return arguments
        place = script.arguments.index("now")
        return (*arguments[:place], self.now, *arguments[place + 1 :])
