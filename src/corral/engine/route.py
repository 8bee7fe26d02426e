"""Routes: to which server a link connects. One server, or whoever the sentinels name; a cluster is in `cluster`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import AuthorizationError, NoPermissionError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from corral.engine.address import Address, Node, Shape
from corral.engine.cluster import Cluster
from corral.engine.connector import Connector, ask
from corral.engine.faults import is_fatal

__all__ = ["OneServer", "Pinned", "Route", "Sentinels", "route_for"]

PRIMARY_ROLES: Final = (b"master", b"primary")


class OneServer:
    """A route to one server, always the same; to a cluster, from the moment that it says it is a node of one."""

    def __init__(self, connector: Connector, node: Node | None) -> None:
        self.clustered = False
        self._connector = connector
        self._node = node
        self._cluster: Cluster | None = None
        self._alone = False
        """Whether it has said that it is no node of a cluster."""

    async def open(self, slot: int | None, name: str = "") -> tuple[Node | None, AbstractConnection]:
        """Connect to whoever serves the slot."""
        if self._cluster is not None:
            return await self._cluster.open(slot, name)
        return self._node, await self._connector.open(self._node, name)

    async def open_node(self, node: Node) -> AbstractConnection:
        """Connect to a node that another one has pointed to."""
        return await self._connector.open(node)

    def current(self, slot: int | None) -> Node | None:
        """Who serves the slot, as far as is known."""
        return self._node if self._cluster is None else self._cluster.current(slot)

    def doubt(self, node: Node | None) -> None:
        """A call to this node went wrong."""
        if self._cluster is not None:
            self._cluster.doubt(node)

    def moved(self, slot: int, node: Node) -> None:
        """A node has said that another one serves the slot: so there is a cluster."""
        if self._cluster is None:
            self._cluster = Cluster(self._connector, (self._node,) if self._node else (node,))
            self.clustered = True
        self._cluster.moved(slot, node)

    async def primaries(self) -> list[Node | None]:
        """All servers that hold jobs."""
        if self._cluster is None and not self._alone:
            await self._find_out()
        return [self._node] if self._cluster is None else await self._cluster.primaries()

    async def _find_out(self) -> None:
        cluster = Cluster(self._connector, (self._node,) if self._node else ())
        try:
            cluster.learn(self._node, await self._connector.question(self._node, "CLUSTER", "SLOTS"))
        except ResponseError:  # it has no cluster, or this user may not ask
            self._alone = True
        else:
            self._cluster, self.clustered = cluster, True


class Sentinels:
    """A route to the primary that the sentinels name at this moment: asked whenever a link connects."""

    clustered = False

    def __init__(
        self, connector: Connector, asking: Connector, sentinels: Sequence[Node], master: str
    ) -> None:
        self._connector = connector
        self._asking = asking
        self._sentinels = list(sentinels)
        self._master = master
        self._node: Node | None = None

    async def open(self, slot: int | None, name: str = "") -> tuple[Node | None, AbstractConnection]:
        """Connect to the primary, and see that it is one: a sentinel may not have heard yet."""
        node = self._node = await self._ask_who()
        connection = await self._connector.open(node, name)
        try:
            role = (await ask(connection, "ROLE"))[0]
        except (NoPermissionError, AuthorizationError):
            role = PRIMARY_ROLES[0]  # this user may not ask; a replica will refuse what it is sent
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        if role not in PRIMARY_ROLES:
            await connection.disconnect(nowait=True)
            raise ReadOnlyError(f"READONLY {node} is still a replica, though the sentinels name it")
        return node, connection

    async def open_node(self, node: Node) -> AbstractConnection:
        """Connect to a node that another one has pointed to."""
        return await self._connector.open(node)

    def current(self, slot: int | None) -> Node | None:
        """The primary named last."""
        return self._node

    def doubt(self, node: Node | None) -> None:
        """A call went wrong: the next connection is opened to whoever is named then."""

    def moved(self, slot: int, node: Node) -> None:
        """Sentinels watch no clusters."""
        raise RedisConnectionError(f"a node of a cluster ({node}) behind sentinels")

    async def primaries(self) -> list[Node | None]:
        """The primary."""
        return [self._node]

    async def _ask_who(self) -> Node:
        said: list[str] = []
        unknown = False
        for sentinel in list(self._sentinels):
            try:
                found = await self._asking.question(
                    sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self._master
                )
            except (RedisError, OSError, TimeoutError) as error:
                if is_fatal(error):
                    raise
                said.append(f"{sentinel}: {str(error) or type(error).__name__}")
                continue
            if found:
                # Who has answered is asked first from now on.
                self._sentinels.remove(sentinel)
                self._sentinels.insert(0, sentinel)
                return Node(found[0].decode(), int(found[1]))
            unknown = True
        random.shuffle(self._sentinels)
        if unknown:
            raise ResponseError(f"NOMASTER the sentinels know no master named {self._master!r}")
        raise RedisConnectionError(f"no sentinel answers: {'; '.join(said)}")


class Pinned:
    """A route to one node and no other, for what is asked of each."""

    clustered = False

    def __init__(self, connector: Connector, node: Node | None) -> None:
        self._connector = connector
        self._node = node

    async def open(self, slot: int | None, name: str = "") -> tuple[Node | None, AbstractConnection]:
        """Connect to it."""
        return self._node, await self._connector.open(self._node, name)

    async def open_node(self, node: Node) -> AbstractConnection:
        """Connect to a node that another one has pointed to."""
        return await self._connector.open(node)

    def current(self, slot: int | None) -> Node | None:
        """It."""
        return self._node

    def doubt(self, node: Node | None) -> None:
        """It stays."""

    def moved(self, slot: int, node: Node) -> None:
        """It stays."""


Route = OneServer | Sentinels | Cluster | Pinned


def route_for(address: Address, timeout: float) -> tuple[OneServer | Sentinels | Cluster, Connector]:
    """The route to an address, and what opens its connections."""
    connector = Connector(address.kind, address.options, timeout)
    if address.shape is Shape.CLUSTER:
        return Cluster(connector, address.nodes), connector
    if address.shape is Shape.SENTINEL:
        asking = Connector(address.sentinel_kind, address.sentinel_options, timeout)
        return Sentinels(connector, asking, address.nodes, address.master), connector
    return OneServer(connector, address.nodes[0] if address.nodes else None), connector
