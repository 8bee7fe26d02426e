"""A Redis Cluster: which node serves which slot, learnt from its nodes and from what they refuse."""

from __future__ import annotations

import asyncio
import random
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ClusterDownError, RedisError
from redis.exceptions import ConnectionError as RedisConnectionError

from corral.engine.address import Node
from corral.engine.connector import Connector
from corral.engine.faults import is_fatal

__all__ = ["Cluster"]

NOBODY: Final = "CLUSTERDOWN nobody serves the slot"


class Cluster:
    """A route that knows the cluster's map.

    The map is asked for (`CLUSTER SLOTS`, any node has it) when it is first needed, and again before a link connects
    after a call that went wrong. What a node says of one slot (`MOVED`) counts at once.
    """

    clustered = True

    def __init__(self, connector: Connector, seeds: Sequence[Node]) -> None:
        self._connector = connector
        self._seeds = tuple(seeds)
        self._starts: list[int] = []
        self._ranges: list[tuple[int, Node]] = []
        self._moved: dict[int, Node] = {}
        self._known: list[Node] = []
        self._doubted: set[Node] = set()
        self._fresh = False
        self._asking = asyncio.Lock()

    async def open(self, slot: int | None, name: str = "") -> tuple[Node | None, AbstractConnection]:
        """Connect to the node that serves the slot; without one, to any that serves some."""
        if slot not in self._moved:
            await self._renew()
        node = self.current(slot)
        if node is None:
            self._fresh = False
            raise ClusterDownError(NOBODY)
        try:
            return node, await self._connector.open(node, name)
        except BaseException:
            self.doubt(node)
            raise

    async def open_node(self, node: Node) -> AbstractConnection:
        """Connect to a node that another one has pointed to."""
        return await self._connector.open(node)

    def current(self, slot: int | None) -> Node | None:
        """Who serves the slot, as far as is known."""
        if slot is None:
            return random.choice(self._ranges)[1] if self._ranges else None
        if slot in self._moved:
            return self._moved[slot]
        at = bisect_right(self._starts, slot) - 1
        if at < 0 or self._ranges[at][0] < slot:
            return None
        return self._ranges[at][1]

    def doubt(self, node: Node | None) -> None:
        """A call to this node went wrong: perhaps another has taken its place."""
        self._fresh = False
        if node is not None:
            self._doubted.add(node)
            self._moved = {slot: other for slot, other in self._moved.items() if other != node}

    def moved(self, slot: int, node: Node) -> None:
        """A node has said who serves this slot."""
        self._moved[slot] = node
        self._fresh = False

    async def primaries(self) -> list[Node | None]:
        """All nodes that serve slots."""
        await self._renew()
        return [*sorted({node for _, node in self._ranges})]

    async def _renew(self) -> None:
        """Ask for the map, unless it is fresh. Whoever comes meanwhile waits for the same answer."""
        async with self._asking:
            if self._fresh:
                return
            said = []
            for node in self._candidates():
                try:
                    self.learn(node, await self._connector.question(node, "CLUSTER", "SLOTS"))
                except (RedisError, OSError, TimeoutError) as error:
                    if is_fatal(error):
                        raise
                    said.append(f"{node}: {str(error) or type(error).__name__}")
                else:
                    return
            raise RedisConnectionError(f"no node of the cluster answers: {'; '.join(said)}")

    def _candidates(self) -> Iterable[Node]:
        """All nodes known, in any order, but first those that were never at fault."""
        nodes = list(dict.fromkeys((*self._known, *self._seeds)))
        random.shuffle(nodes)
        return sorted(nodes, key=lambda node: node in self._doubted)

    def learn(self, asked: Node | None, reply: Sequence[Any]) -> None:
        """Take in the reply to `CLUSTER SLOTS`. A node without a host is the one that was asked."""
        ranges: list[tuple[int, int, Node]] = []
        known: list[Node] = []
        for start, end, *servers in reply:
            nodes = [node for server in servers if (node := _node(asked, server)) is not None]
            known += nodes
            if nodes:
                ranges.append((start, end, nodes[0]))
        ranges.sort()
        self._starts = [start for start, _, _ in ranges]
        self._ranges = [(end, node) for _, end, node in ranges]
        self._known = list(dict.fromkeys(known))
        self._moved.clear()
        self._doubted.clear()
        self._fresh = True


def _node(asked: Node | None, server: Sequence[Any]) -> Node | None:
    host = (server[0] or b"").decode()
    if host == "?":  # its name is not known yet
        return None
    if not host and asked is None:
        return None
    return Node(host or (asked.host if asked else ""), int(server[1]))
