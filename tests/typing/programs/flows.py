"""Correct flows."""

from __future__ import annotations

from typing import Any, assert_type

from corral import (
    Client,
    FlowHandle,
    FlowNode,
    JobHandle,
    SyncClient,
    SyncFlowHandle,
    SyncJobHandle,
    chain,
    fan_in,
)
from tests.typing.programs.contract import EmailTasks, Invite, PasswordReset, Receipt


async def trees(client: Client) -> None:
    """A node knows its result; the flow's handle has those of all nodes, each with its own."""
    invite = EmailTasks.send_invite.node(
        Invite(invitation_id=1, to_email="ada@example.org"), on_failure="ignore"
    )
    assert_type(invite, FlowNode[Receipt])
    total = EmailTasks.sum_up.node(
        [1, 2], children=[invite, EmailTasks.tick.node(None)], job_id="total", delay=3
    )
    flow = await total.enqueue(client)
    assert_type(flow, FlowHandle[int])
    assert_type(flow.job(invite), JobHandle[Receipt])
    assert_type(await flow.result(timeout=5), int)
    assert_type(flow.job(total).created, bool | None)


def blocking(client: SyncClient) -> None:
    """The same with a blocking client."""
    reset = EmailTasks.send_reset.node(PasswordReset(user_id=1))
    flow = EmailTasks.sum_up.node([], children=[reset]).enqueue(client)
    assert_type(flow, SyncFlowHandle[int])
    assert_type(flow.result(), int)
    assert_type(flow.job(reset), SyncJobHandle[None])


def shapes(nodes: list[FlowNode[Any]]) -> None:
    """A chain's result is that of its last step; steps may be lists."""
    tick = EmailTasks.tick.node(None)
    total = EmailTasks.sum_up.node([1])
    assert_type(chain(tick, total), FlowNode[int])
    assert_type(chain([tick, total], tick, EmailTasks.sum_up.node([2])), FlowNode[int])
    assert_type(chain(total), FlowNode[int])
    assert_type(fan_in(nodes, into=total), FlowNode[int])
    assert_type(total.after(tick), FlowNode[int])
