"""How each engine takes the steps of flows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from corral.admin.jobs import JobsAdmin
from corral.client.client import Client
from corral.contracts.codec import JSON_CODEC
from corral.contracts.flow import FlowNode, NodeOptions, OnFailure
from corral.errors import CorralError
from corral.worker.children import Children
from tests.interop.bullmq import NodeError, NodeQueue
from tests.interop.corral_side import CorralSide, corral_options
from tests.interop.flow_steps import AddChildren, AddFlow, Kin, On, Retry, Step, Tree, WaitForChildren
from tests.interop.kinship import Kinship
from tests.interop.operations import Complete, Fail, Operation
from tests.interop.queue_sides import Keeper, without_empty_cleans
from tests.interop.queue_steps import Clean, Drain
from tests.interop.sides import Player
from tests.interop.snapshot import AnyId, Snapshot, events_by_job, snapshot
from tests.interop.timed import OwnTime

FLAGS: dict[str, tuple[str, OnFailure]] = {
    "fpof": ("failParentOnFailure", "fail_parent"),
    "cpof": ("continueParentOnFailure", "continue_parent"),
    "idof": ("ignoreDependencyOnFailure", "ignore"),
    "rdof": ("removeDependencyOnFailure", "remove"),
    "": ("", "wait"),
}
"""The policies as options of BullMQ's, and as Corral's words."""


class Relative(Protocol):
    """Who adds families, and changes them. `queue` is a queue's number."""

    async def add(self, root: Tree) -> bool: ...
    async def add_child(self, queue: int, job_id: str, token: str, child: Tree) -> None: ...
    async def wait(self, queue: int, job_id: str, token: str) -> None: ...
    async def kin(self, step: Kin) -> bool: ...
    async def retry(self, queue: int, job_id: str, state: str) -> None: ...


@dataclass
class NodeRelative:
    """BullMQ's FlowProducer and Job."""

    queues: Sequence[NodeQueue]

    async def add(self, root: Tree) -> bool:
        """FlowProducer.add."""
        await self.queues[root.queue].call("addFlow", flow=self._tree(root))
        return True

    def _tree(self, tree: Tree) -> dict[str, Any]:
        queue = self.queues[tree.queue]
        job = {
            "name": "n",
            "queueName": queue.name,
            "prefix": queue.prefix,
            "data": {},
            "opts": _node_options(tree),
        }
        return {**job, "children": [self._tree(child) for child in tree.children]} if tree.children else job

    async def add_child(self, queue: int, job_id: str, token: str, child: Tree) -> None:
        """Queue.add with a parent."""
        above = self.queues[queue]
        parent = {"id": job_id, "queue": f"{above.prefix}:{above.name}"}
        await self.queues[child.queue].add("n", {}, **_node_options(child), parent=parent)

    async def wait(self, queue: int, job_id: str, token: str) -> None:
        """Job.moveToWaitingChildren."""
        assert await self.queues[queue].call("moveToWaitingChildren", jobId=job_id, token=token)

    async def kin(self, step: Kin) -> bool:
        """One verb of Job."""
        command = {
            "remove": "removeWithChildren",
            "remove alone": "removeAlone",
            "remove unprocessed": "removeUnprocessedChildren",
            "detach": "removeChildDependency",
        }[step.verb]
        answer = await self.queues[step.queue].call(command, jobId=step.job_id)
        return bool(answer) if step.verb == "detach" else True

    async def retry(self, queue: int, job_id: str, state: str) -> None:
        """Job.retry."""
        await self.queues[queue].call("retry", jobId=job_id, state=state)


def _node_options(tree: Tree) -> dict[str, Any]:
    flag, _ = FLAGS[tree.policy]
    return {**tree.options, "jobId": tree.job_id, **({flag: True} if flag else {})}


@dataclass
class CorralRelative:
    """Corral's client, a worker's children, and the admin."""

    client: Client
    sides: Sequence[CorralSide]
    families: dict[tuple[str, str], Children] = field(default_factory=dict)

    async def add(self, root: Tree) -> bool:
        """Enqueue a flow."""
        await self._node(root).enqueue(self.client)
        return True

    def _node(self, tree: Tree) -> FlowNode[Any]:
        _, on_failure = FLAGS[tree.policy]
        options = cast(
            "NodeOptions", {**corral_options(tree.options), "job_id": tree.job_id, "on_failure": on_failure}
        )
        children = [self._node(child) for child in tree.children]
        return self.client.queue(self.sides[tree.queue].queue).node("n", {}, children=children, **options)

    async def add_child(self, queue: int, job_id: str, token: str, child: Tree) -> None:
        """What `ctx.add_children` does."""
        side = self.sides[queue]
        family = self.families.setdefault(
            (job_id, token), Children(side.server, side.keys, side.held(job_id, token), self.client)
        )
        await family.add([self._node(child)])

    async def wait(self, queue: int, job_id: str, token: str) -> None:
        """Settle as waiting for its children."""
        await self.sides[queue].wait_for_children(job_id, token)

    async def kin(self, step: Kin) -> bool:
        """One verb of the admin, or of a handle."""
        queue = self.sides[step.queue].queue
        jobs = JobsAdmin(self.client.server, queue)
        match step.verb:
            case "remove":
                await jobs.remove(step.job_id)
            case "remove alone":
                await jobs.remove(step.job_id, children=False)
            case "remove unprocessed":
                await jobs.remove_unprocessed_children(step.job_id)
            case _:
                return await self.client.handle(queue, step.job_id, JSON_CODEC).detach()
        return True

    async def retry(self, queue: int, job_id: str, state: str) -> None:
        """Retry a job."""
        await JobsAdmin(self.client.server, self.sides[queue].queue).retry(job_id)


def _without_releases(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events of one job, without those of a parent that is released because children have been removed: BullMQ
    tells of one that it removes next, and not of one in another queue than a drained child."""
    kept = [
        event for event in events if event.get("prev") != "waiting-children" or event["event"] == "removed"
    ]
    was_ready = {"event": "removed", "prev": "wait"}
    return [
        {**event, "prev": "waiting-children"} if was_ready.items() <= event.items() else event
        for event in kept
    ]


@dataclass
class FlowPlayer:
    """A player for each queue, and somebody who knows their families. `answers`: whether flows were added
    and verbs carried out. `leaves_out`: not to do what both do differently on purpose; `sees_releases`: to look at what
    is told of parents that are released."""

    players: Sequence[Player]
    relative: Relative
    keepers: Sequence[Keeper]
    time: OwnTime
    leaves_out: bool = True
    sees_releases: bool = True
    answers: list[tuple[str, bool]] = field(default_factory=list)

    async def play(self, step: Step) -> None:
        """Take a step; one about a job where there is none is left out."""
        await self.time.begin(self.players[0], step)
        if self.leaves_out and await self._makes_apart(step):
            return
        match step:
            case AddFlow(root):
                await self._answered(step, self.relative.add(root))
            case AddChildren(queue, held, children):
                for child in children:
                    if run := self._run(queue, held):
                        await self.relative.add_child(queue, *run, child)
            case WaitForChildren(queue, held):
                await self._wait(queue, held)
            case Kin():
                await self._answered(step, self.relative.kin(step))
            case Retry(queue, state, position):
                await self._retry(queue, state, position)
            case On(queue, operation):
                await self._on(queue, operation)

    async def _on(self, queue: int, step: Operation | Drain | Clean) -> None:
        match step:
            case Drain(delayed):
                await self.keepers[queue].drain(delayed)
            case Clean():
                await self.keepers[queue].clean(step)
            case Complete(held) if await self._cannot_complete(queue, held):
                await self.players[queue].play([Fail(held, "its children", for_good=True)])
            case _:
                await self.players[queue].play([step])

    def _run(self, queue: int, held: int) -> tuple[str, str] | None:
        runs = self.players[queue].held
        return runs[held % len(runs)] if runs else None

    async def _cannot_complete(self, queue: int, held: int) -> bool:
        """Say whether children stand against it: a worker then fails the job."""
        run, player = self._run(queue, held), self.players[queue]
        lists = [player.key(f"{run[0]}:{part}") for part in ("dependencies", "unsuccessful")] if run else []
        return bool(lists and await player.raw.exists(*lists))

    async def _wait(self, queue: int, held: int) -> None:
        player = self.players[queue]
        if run := self._run(queue, held):
            has_children = await player.raw.exists(player.key(f"{run[0]}:dependencies"))
            has_failed = await player.raw.exists(player.key(f"{run[0]}:unsuccessful"))
            if has_children and not has_failed:
                await self.relative.wait(queue, *run)
                player.held.remove(run)

    async def _retry(self, queue: int, state: str, position: int) -> None:
        members = await self.players[queue].raw.zrange(self.players[queue].key(state), 0, -1)
        if members:
            await self.relative.retry(queue, members[position % len(members)], state)

    async def _answered(self, step: Step, call: Awaitable[bool]) -> None:
        try:
            answer = await call
        except (NodeError, CorralError):
            answer = False
        self.answers.append((str(step), answer))

    async def _makes_apart(self, step: Step) -> bool:
        """Say whether this is one of the things that both do differently: see `intended_flows.py`."""
        kinship = Kinship(self.players[0].raw)
        match step:
            case Kin(verb, queue, job_id):
                job_key = self.players[queue].key(job_id)
                return not await self._exists(queue) or (
                    verb == "remove" and await kinship.hides_a_run(job_key)
                )
            case AddChildren(queue, held) if not self.sees_releases and (run := self._run(queue, held)):
                key = self.players[queue].key(run[0])
                return bool(await self.players[queue].raw.hget(key, "priority") != "0")
            case On(queue, Clean()):
                return not await self._exists(queue)
            case On(queue, Drain()):
                sizes = [await self._size(queue, place) for place in ("delayed", "prioritized", "wait")]
                return not await self._exists(queue) or sum(size > 0 for size in sizes) > 1
        return False

    async def _exists(self, queue: int) -> bool:
        return bool(await self.players[queue].raw.exists(self.players[queue].key("meta")))

    async def _size(self, queue: int, place: str) -> int:
        raw, key = self.players[queue].raw, self.players[queue].key(place)
        return int(await (raw.llen(key) if place == "wait" else raw.zcard(key)))

    async def left(self) -> Snapshot:
        """All keys of both queues; prefixes are left out, which stand in the keys of children and parents."""
        found: Snapshot = {"answers": self.answers}
        for number, player in enumerate(self.players):
            side = player.side
            found_here = await snapshot(player.raw, side.prefix, side.queue, AnyId(), timed=True)
            taken = events_by_job(without_empty_cleans(found_here))
            if not self.sees_releases and "events" in taken:
                told = taken["events"]["content"]
                taken["events"]["content"] = {
                    name: _without_releases(events) for name, events in told.items()
                }
            text = json.dumps(taken).replace(f"{side.prefix}:", "")
            found |= {f"{number}.{name}": picture for name, picture in json.loads(text).items()}
        return found
