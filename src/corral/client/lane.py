"""A producer's lane: a connection that makes one numbered call at a time."""

from __future__ import annotations

import uuid

from corral.contracts.options import Durability
from corral.engine.durability import check_durability
from corral.engine.link import Link

__all__ = ["Lane"]


class Lane:
    """A connection and the number of its last call.

    The name is new for each lane, wherever and whenever it is made: were one used twice (after `close`, in a forked
    process), the server would take a new call for an old one sent again, and its jobs would be lost.
    """

    __slots__ = ("_checked", "link", "name", "number")

    def __init__(self, link: Link) -> None:
        self.link = link
        self.name = uuid.uuid4().hex
        self.number = 0
        self._checked: set[Durability] = set()

    async def check(self, durability: Durability | None) -> None:
        """Ask the server, once a lane, whether it can give this durability. Raises `DurabilityUnavailable`."""
        if durability is not None and durability not in self._checked:
            await check_durability(self.link, durability)
            self._checked.add(durability)
