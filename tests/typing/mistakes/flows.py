"""Mistakes in flows."""

from __future__ import annotations

from corral import Client, SyncClient, chain, fan_in
from tests.typing.programs.contract import EmailTasks, Receipt


async def nodes(client: Client) -> None:
    """Each of these is flagged."""
    EmailTasks.sum_up.node(["1"])  # error: wrong payload of a node
    EmailTasks.sum_up.node()  # error: payload of a node missing
    EmailTasks.sum_up.node([1], on_failure="explode")  # error: unknown failure policy
    EmailTasks.sum_up.node([1], retires=3)  # error: misspelt option of a node
    EmailTasks.sum_up.node([1], children=[Receipt("1")])  # error: a payload as a child
    EmailTasks.sum_up.node([1], children=EmailTasks.tick.node(None))  # error: one node instead of a list
    EmailTasks.sum_up.node([1], children=[EmailTasks.tick])  # error: a task instead of a node
    await EmailTasks.sum_up.node([1]).enqueue()  # error: client of a flow missing


async def results(client: Client, blocking: SyncClient) -> None:
    """What comes back has the type of its node."""
    tick, total = EmailTasks.tick.node(None), EmailTasks.sum_up.node([1])
    flow = await total.after(tick).enqueue(client)
    receipt: Receipt = await flow.result()  # error: wrong result of a flow
    number: int = await flow.job(total).result()
    receipt = await flow.job(total).result()  # error: wrong result of a node
    chain(tick, [total])  # error: a chain that ends in a list
    chained = await chain(tick, total).enqueue(client)
    wrong: Receipt = await chained.result()  # error: wrong result of a chain
    fan_in([total], EmailTasks.tick)  # error: fan-in into a task
    print(receipt, number, wrong, blocking)
