"""Clusters and sentinels, for the faults that only they have."""

from __future__ import annotations

from corral.engine.link import Link
from tests.engine.faulty import Attempt, Stage, scene, until
from tests.servers import ServerProcess, free_port
from tests.topologies import MASTER, Sentinel

SLOTS = 16384


async def node(stage: Stage) -> tuple[ServerProcess, Link]:
    """One node that knows nobody."""
    bus = ("--cluster-port", str(free_port()))
    coverage = ("--cluster-require-full-coverage", "no")
    server = stage.make_server(args=("--cluster-enabled", "yes", *coverage, *bus))
    return server, await stage.admin(server)


async def pair(stage: Stage) -> tuple[ServerProcess, Link, ServerProcess, Link]:
    """Two nodes that know each other; the first serves the first half of all slots, the second the rest."""
    first, one = await node(stage)
    second, two = await node(stage)
    await one.call("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS // 2 - 1)
    await two.call("CLUSTER", "ADDSLOTSRANGE", SLOTS // 2, SLOTS - 1)
    # Nodes that share an epoch argue about it first.
    await two.call("CLUSTER", "SET-CONFIG-EPOCH", 2)
    port, bus = await two.call("CONFIG", "GET", "port"), await two.call("CONFIG", "GET", "cluster-port")
    await one.call("CLUSTER", "MEET", "127.0.0.1", port[1], bus[1])

    async def agreed() -> bool:
        """Both serve, and both know who has which slots."""
        seen = [(await link.call("CLUSTER", "INFO")).decode() for link in (one, two)]
        return all("cluster_slots_assigned:16384" in text and "cluster_state:ok" in text for text in seen)

    await until(agreed)
    return first, one, second, two


@scene("CLUSTERDOWN", "no node serves the slot")
async def unserved(stage: Stage) -> Attempt:
    """A cluster that nobody has given slots."""
    server, _ = await node(stage)
    driver = await stage.driver(server.url, prefix="{p}")
    return lambda: driver.add("a")


@scene("CROSSSLOT", "the prefix has no hash tag")
async def untagged(stage: Stage) -> Attempt:
    """Keys of one queue in several slots."""
    server, admin = await node(stage)
    await admin.call("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
    await until(lambda: says_ok(admin))
    driver = await stage.driver(server.url)
    return lambda: driver.add("a")


async def says_ok(link: Link) -> bool:
    """Whether the cluster serves."""
    return b"cluster_state:ok" in await link.call("CLUSTER", "INFO")


@scene("MOVED", "the nodes point to each other")
async def in_circles(stage: Stage) -> Attempt:
    """A node that always says the slot is another's, and that it is the other."""
    port = free_port()
    await stage.listener(b"-MOVED 1 127.0.0.1:%d\r\n" % port, port=port, again=True)
    driver = await stage.driver(f"redis://127.0.0.1:{port}", prefix="{p}")
    return lambda: driver.add("a")


@scene("TRYAGAIN", "the slot is on its way to another node")
async def migrating(stage: Stage) -> Attempt:
    """Keys of one call, some of which have moved already."""
    first, one, second, two = await pair(stage)
    slot = await one.call("CLUSTER", "KEYSLOT", "{p}")
    here, there = (one, two) if slot < SLOTS // 2 else (two, one)
    server = first if slot < SLOTS // 2 else second
    driver = await stage.driver(server.url, prefix="{p}")
    await driver.add("a")
    await there.call("CLUSTER", "SETSLOT", slot, "IMPORTING", await here.call("CLUSTER", "MYID"))
    await here.call("CLUSTER", "SETSLOT", slot, "MIGRATING", await there.call("CLUSTER", "MYID"))
    return lambda: driver.add("b")


@scene("TRYAGAIN", "the keys of the slot are with another node already")
async def migrated(stage: Stage) -> Attempt:
    """A slot on its way, and none of the keys is here (ASK): the other node has not all of them either."""
    server, admin = await node(stage)
    _, other = await node(stage)
    await admin.call("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
    bus = (await other.call("CONFIG", "GET", "cluster-port"))[1]
    port = (await other.call("CONFIG", "GET", "port"))[1]
    await admin.call("CLUSTER", "MEET", "127.0.0.1", port, bus)
    name = await other.call("CLUSTER", "MYID")

    async def is_known() -> bool:
        return name in await admin.call("CLUSTER", "NODES") and await says_ok(admin)

    await until(is_known)
    await until(lambda: says_ok(other))
    slot = await admin.call("CLUSTER", "KEYSLOT", "{p}")
    await other.call("CLUSTER", "SETSLOT", slot, "IMPORTING", await admin.call("CLUSTER", "MYID"))
    await admin.call("CLUSTER", "SETSLOT", slot, "MIGRATING", name)
    driver = await stage.driver(server.url, prefix="{p}")
    return lambda: driver.add("a")


@scene("NOCLUSTER", "a cluster's URL for a server that is in none")
async def no_cluster(stage: Stage) -> Attempt:
    """A server of its own, taken for a node."""
    server = stage.make_server()
    driver = await stage.driver(server.url.replace("redis://", "redis+cluster://"), prefix="{p}")
    return lambda: driver.add("a")


@scene("NOSENTINEL", "a sentinel's URL for a server that is none")
async def no_sentinel(stage: Stage) -> Attempt:
    """A plain server, asked who the primary is."""
    server = stage.make_server()
    driver = await stage.driver(f"redis+sentinel://127.0.0.1:{server.port}/{MASTER}")
    return lambda: driver.add("a")


@scene("NOMASTER", "the sentinels know no master of this name")
async def unknown_master(stage: Stage) -> Attempt:
    """A sentinel that watches another."""
    sentinel = Sentinel(stage.make_server())
    stage.stack.callback(sentinel.close)
    sentinel.start()
    driver = await stage.driver(f"redis+sentinel://127.0.0.1:{sentinel.port}/other")
    return lambda: driver.add("a")


@scene("DB", "the database does not exist")
async def no_database(stage: Stage) -> Attempt:
    """A number that the server does not have."""
    server = stage.make_server()
    driver = await stage.driver(server.url.removesuffix("0") + "99")
    return lambda: driver.add("a")


@scene("DB", "a cluster has one database")
async def no_database_in_cluster(stage: Stage) -> Attempt:
    """A number on a cluster."""
    server, admin = await node(stage)
    await admin.call("CLUSTER", "ADDSLOTSRANGE", 0, SLOTS - 1)
    await until(lambda: says_ok(admin))
    url = server.url.replace("redis://", "redis+cluster://").removesuffix("0") + "99"
    driver = await stage.driver(url, prefix="{p}")
    return lambda: driver.add("a")
