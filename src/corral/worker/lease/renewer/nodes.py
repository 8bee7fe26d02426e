"""Which server has the locks of a queue: the one there is, the sentinels' primary, or a node of a cluster."""

from __future__ import annotations

from .connection import Connection, ErrorReply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from .connection import Reply

    Place: TypeAlias = "tuple[str, int]"

MAX_REDIRECTIONS = 5


class Nodes:
    """Connections by place, and the place of each queue.

    On a cluster any node will do to begin with: it names the right one (`MOVED`), which names all the others. Behind
    sentinels they are asked for the primary. After a call that went wrong the next one begins anew, elsewhere.
    """

    def __init__(self, server: dict[str, Any], timeout: float) -> None:
        self._server = server
        self._timeout = timeout
        self._places: list[Place] = [(server["host"], server["port"]), *map(tuple, server["others"])]
        self._homes: dict[int, Place] = {}
        self._connections: dict[Place, Connection] = {}

    def call(self, queue: int, *parts: bytes) -> Reply:
        """Send one command about a queue and return the reply. Raises OSError, ValueError (no RESP) or ErrorReply."""
        for _ in range(MAX_REDIRECTIONS):
            place = self._homes.get(queue)
            if place is None:
                place = self._homes[queue] = self._primary() if self._server["master"] else self._places[0]
            try:
                return self._connection(place).call(*parts)
            except ErrorReply as error:
                if not str(error).startswith("MOVED "):
                    raise
                host, _, port = str(error).split()[2].rpartition(":")
                self._homes[queue] = (host or place[0], int(port))
                self._learn(self._homes[queue])
        raise ConnectionError("the nodes of the cluster point to each other")

    def forget(self, queue: int) -> None:
        """A call about this queue went wrong: let the next one begin anew."""
        place = self._homes.pop(queue, None)
        connection = self._connections.pop(place, None) if place else None
        if connection:
            connection.close()
        self._places.append(self._places.pop(0))

    def _connection(self, place: Place) -> Connection:
        found = self._connections.get(place)
        if found is None:
            server = {**self._server, "host": place[0], "port": place[1]}
            found = self._connections[place] = Connection(server, self._timeout)
        return found

    def _learn(self, place: Place) -> None:
        """Take in what nodes the cluster has."""
        try:
            reply = self._connection(place).call(b"CLUSTER", b"SLOTS")
        except ErrorReply:  # this user may not ask; what is known must do
            return
        found: dict[Place, None] = {}
        for slots in reply if isinstance(reply, list) else []:
            for node in slots[2:] if isinstance(slots, list) else []:
                if isinstance(node, list) and isinstance(node[1], int):
                    host = node[0].decode() if isinstance(node[0], bytes) else ""
                    found[(host or place[0], node[1])] = None
        self._places = [*found] or self._places

    def _primary(self) -> Place:
        said = "they know no master of that name"
        for sentinel in list(self._places):
            connection = Connection({**self._server, **_login(self._server, sentinel)}, self._timeout)
            try:
                reply = connection.call(
                    b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", self._server["master"].encode()
                )
            except (OSError, ValueError, ErrorReply) as error:
                said = f"{type(error).__name__}: {error}"
                continue
            finally:
                connection.close()
            if isinstance(reply, list) and len(reply) == 2:
                host, port = reply
                if isinstance(host, bytes) and isinstance(port, bytes):
                    self._places.remove(sentinel)
                    self._places.insert(0, sentinel)
                    return (host.decode(), int(port))
        raise ConnectionError(f"no sentinel names the master: {said}")


def _login(server: dict[str, Any], sentinel: Place) -> dict[str, Any]:
    return {"host": sentinel[0], "port": sentinel[1], "db": 0, **server["sentinel"]}
