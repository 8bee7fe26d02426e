"""Flows as the engine takes them: what its tests share."""

from __future__ import annotations

import json
from typing import Any

from corral.engine.enqueue import FlowAdded, add_flow
from corral.engine.link import Word
from corral.engine.record import NewNode
from corral.engine.recover import Held
from tests.engine.driver import Driver


def new_node(
    driver: Driver,
    wire_id: str,
    under: NewNode | str = "",
    *,
    policy: str = "",
    own_id: bool = False,
    lifo: bool = False,
    has_children: bool = False,
    queue: str = "",
    name: str = "n",
    data: str = "{}",
    delay: int = 0,
    due: Word = "",
    priority: int = 0,
    rule: dict[str, Any] | None = None,
) -> NewNode:
    """A job of a flow: `under` its parent, with a policy (`fpof`, `cpof`, `idof`, `rdof` or none)."""
    base = driver.server.keys(queue or driver.keys.queue).base
    parent_key = under.base + under.wire_id if isinstance(under, NewNode) else under
    above, _, parent_id = parent_key.rpartition(":")
    parent = {"id": parent_id, "queueKey": above, **({policy: True} if policy else {})}
    flags = ("c" if own_id else "") + ("l" if lifo else "") + ("p" if has_children else "")
    return NewNode(
        base, wire_id, flags, name, data, "{}", delay, due, priority, parent_key,
        json.dumps(parent) if parent_key else "", json.dumps(rule) if rule else "",
    )  # fmt: skip


async def add(
    driver: Driver, *nodes: NewNode, run: Held | None = None, sender: str = "", number: int = 0
) -> FlowAdded:
    """Add a flow with the driver's clock."""
    return await add_flow(
        driver.link, driver.keys, nodes, run=run, sender=sender, number=number, clock=driver.now
    )


async def family(driver: Driver, policy: str = "", *, children: str = "ab", **options: Any) -> NewNode:
    """Add a parent `p` with a child for each letter; return the parent."""
    parent = new_node(driver, "p", has_children=True, **options)
    added = await add(driver, parent, *(new_node(driver, child, parent, policy=policy) for child in children))
    assert added == FlowAdded(0, -1, [0] * (1 + len(children)))
    return parent


async def dependencies(driver: Driver, parent: str) -> set[str]:
    """The ids of the children that a parent waits for."""
    keys = await driver.call("SMEMBERS", driver.keys.job(parent) + ":dependencies")
    return {key.removeprefix(driver.keys.base) for key in keys}
