"""Adding flows, one call each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from corral.client.flow_plan import PlannedJob
from corral.client.lane import Lane
from corral.contracts.names import decode_job_id
from corral.contracts.options import Durability
from corral.engine.durability import confirm
from corral.engine.enqueue import Added, FlowAdded, add_flow
from corral.engine.faults import FAULTS
from corral.engine.keys import QueueKeys
from corral.engine.record import NewNode, Refusal
from corral.engine.resend import until_answered
from corral.engine.server import PATIENCE, Server
from corral.engine.slots import same_slot
from corral.errors import InvalidFlow, ServerRefused, StaleRun

__all__ = ["FlowEnqueuer", "check_slots", "checked"]

LANES: Final = 2

_REFUSALS: Final = {
    Refusal.ABOVE_ITSELF: ("circular", "it would wait for itself: a job below it is above it already"),
    Refusal.TOO_DEEP: (
        "too-deep",
        "more than 1000 jobs are above it: let the last of them enqueue a flow of its own",
    ),
    Refusal.OTHER_PARENT: (
        "other-parent",
        "this job exists and is the child of another: it can have one parent",
    ),
    Refusal.NO_PARENT: ("no-parent", "the job that it is to be a child of does not exist (any more)"),
    Refusal.NOT_ACTIVE: (
        "parent-not-waiting",
        "the job that it is to be a child of does not wait for children: it runs, is about to, or has ended",
    ),
}


class FlowEnqueuer:
    """Adds the flows whose roots belong to one queue. Each is one numbered call, which may be sent again until it is
    answered and adds nothing twice."""

    def __init__(self, server: Server, keys: QueueKeys) -> None:
        self._server = server
        self._keys = keys
        self._timeout = server.settings.timeout
        self._places = asyncio.Semaphore(LANES)
        self._idle: list[Lane] = []

    async def add(self, nodes: Sequence[NewNode], durability: Durability | None = None) -> FlowAdded:
        """Add a flow. Errors as `Enqueuer.add`, and `InvalidFlow` on a cluster."""
        if self._server.clustered:
            check_slots(nodes)
        async with self._places:
            lane = self._idle.pop() if self._idle else Lane(await self._server.link(self._keys))
            lane.number += 1
            try:
                return await until_answered(
                    lambda: self._attempt(lane, nodes, durability),
                    within=self._timeout + (1 if durability else 0),
                    server=lane.link.server,
                )
            except ServerRefused as error:
                if error.remedy == FAULTS["CROSSSLOT"].remedy:  # it has turned out to be a cluster
                    check_slots(nodes)
                raise
            finally:
                self._idle.append(lane)

    async def _attempt(
        self, lane: Lane, nodes: Sequence[NewNode], durability: Durability | None
    ) -> FlowAdded:
        await lane.check(durability)
        added = await add_flow(
            lane.link, self._keys, nodes,
            sender=lane.name, number=lane.number, timeout=self._timeout * PATIENCE,
        )  # fmt: skip
        if durability is not None and added.code == 0:
            await confirm(lane.link, durability, self._keys.key("sent") + lane.name)
        return added

    async def close(self) -> None:
        """Let calls under way end, and close the connections."""
        for _ in range(LANES):
            await self._places.acquire()
        idle, self._idle = self._idle, []
        for lane in idle:
            await lane.link.close()
        for _ in range(LANES):
            self._places.release()


def check_slots(nodes: Sequence[NewNode]) -> None:
    """Raise `InvalidFlow` when a cluster would have to keep a flow on several nodes."""
    if not same_slot({node.base for node in nodes}):
        queues = sorted({node.base.rpartition(":")[0].rpartition(":")[2] for node in nodes})
        raise InvalidFlow(
            "slots",
            f"its queues {', '.join(map(repr, queues))} are on different nodes of the cluster: give them one hash tag, "
            "in the prefix ({bull}) or in their names ({shop}-orders, {shop}-ship)",
        )


def checked(added: FlowAdded, planned: Sequence[PlannedJob], job_id: str = "") -> list[Added]:
    """The answers. Raises `InvalidFlow` when the flow was refused, `StaleRun` when the run of `job_id` was."""
    if added.code == 0:
        return added.answers
    if added.place < 0:
        raise StaleRun(job_id)
    kind, reason = _REFUSALS[Refusal(added.code)]
    job = planned[added.place]
    raise InvalidFlow(kind, reason, queue=job.keys.queue, job_id=decode_job_id(job.wire_id))
