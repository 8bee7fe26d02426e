"""How each engine takes the steps of a queue's operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from corral.admin.queue import QueueAdmin
from tests.interop.bullmq import NodeQueue
from tests.interop.queue_steps import Clean, Drain, Obliterate, Pause, Resume, Step, TrimEvents
from tests.interop.sides import Player
from tests.interop.snapshot import AnyId, Snapshot, snapshot
from tests.interop.timed import OwnTime, Pass


class Keeper(Protocol):
    """Who keeps a queue in order."""

    async def pause(self) -> None: ...
    async def resume(self) -> None: ...
    async def drain(self, delayed: bool) -> None: ...
    async def clean(self, step: Clean) -> int: ...
    async def trim(self, count: int) -> None: ...
    async def obliterate(self) -> None: ...


@dataclass
class NodeKeeper:
    """BullMQ's Queue."""

    bull: NodeQueue

    async def pause(self) -> None:
        """Queue.pause."""
        await self.bull.call("pause")

    async def resume(self) -> None:
        """Queue.resume."""
        await self.bull.call("resume")

    async def drain(self, delayed: bool) -> None:
        """Queue.drain."""
        await self.bull.call("drain", delayed=delayed)

    async def clean(self, step: Clean) -> int:
        """Queue.clean."""
        return len(await self.bull.call("clean", grace=step.milliseconds, limit=step.limit, state=step.state))

    async def trim(self, count: int) -> None:
        """Queue.trimEvents."""
        await self.bull.call("trimEvents", count=count)

    async def obliterate(self) -> None:
        """Queue.obliterate with force."""
        await self.bull.call("obliterate")


@dataclass
class CorralKeeper:
    """Corral's admin."""

    admin: QueueAdmin

    async def pause(self) -> None:
        """Pause the queue."""
        await self.admin.pause()

    async def resume(self) -> None:
        """Resume the queue."""
        await self.admin.resume()

    async def drain(self, delayed: bool) -> None:
        """Drain the queue."""
        await self.admin.drain(delayed=delayed)

    async def clean(self, step: Clean) -> int:
        """Clean a state."""
        state = "waiting" if step.state == "wait" else step.state
        return await self.admin.clean(state, older_than=step.milliseconds / 1000, limit=step.limit or None)

    async def trim(self, count: int) -> None:
        """Trim the events."""
        await self.admin.trim_events(count)

    async def obliterate(self) -> None:
        """Obliterate the queue, with force."""
        await self.admin.obliterate(force=True)


def without_empty_cleans(found: Snapshot) -> Snapshot:
    """The same without events of cleans that have removed nothing, of which BullMQ tells, too."""
    if "events" not in found:
        return found
    told = [event for event in found["events"]["content"] if event != {"event": "cleaned", "count": "0"}]
    return {**found, "events": {**found["events"], "content": told}}


@dataclass
class KeptPlayer:
    """A player on a queue that somebody keeps in order."""

    player: Player
    keeper: Keeper
    time: OwnTime
    leaves_out: bool = True

    async def play(self, step: Step) -> None:
        """Take a step."""
        await self.time.begin(self.player, step)
        if self.leaves_out and await self._makes_apart(step):
            return
        match step:
            case Pass():
                pass
            case Pause():
                await self.keeper.pause()
            case Resume():
                await self.keeper.resume()
            case Drain(delayed):
                await self.keeper.drain(delayed)
            case Clean():
                await self.keeper.clean(step)
            case TrimEvents(count):
                await self.keeper.trim(count)
            case Obliterate():
                await self.keeper.obliterate()
                self.player.held.clear()
            case _:
                await self.player.play([step])

    async def _makes_apart(self, step: Step) -> bool:
        """Say whether this is one of the things that both do differently: see `intended_queues.py`."""
        raw, key = self.player.raw, self.player.key
        match step:
            case Pause() | Resume():
                return isinstance(step, Pause) == bool(await raw.hexists(key("meta"), "paused"))
            case Clean("prioritized"):
                ids = await raw.zrange(key("prioritized"), 0, -1)
                return any([await raw.hexists(key(job_id), "processedOn") for job_id in ids])
        return False

    async def left(self) -> Snapshot:
        """What it has left behind so far."""
        side = self.player.side
        found = await snapshot(self.player.raw, side.prefix, side.queue, AnyId(), timed=True)
        return without_empty_cleans(found) if self.leaves_out else found
