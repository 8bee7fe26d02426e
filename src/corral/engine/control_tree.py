"""Control of a job with all below it: at once where that is little, else in steps that may be taken up again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, NamedTuple

from corral.engine.browse_keys import JobKey, split_keys
from corral.engine.browse_pages import ChildPage, PlacesPage, find_waiting, list_children
from corral.engine.control import Removal, remove_step
from corral.engine.keys import QueueKeys
from corral.engine.record import Refusal
from corral.engine.script import load
from corral.engine.sender import Sender, Sent
from corral.engine.server import Server

__all__ = ["TreeRemoval"]

CHILDREN_PER_CALL: Final = 100
TOO_MANY: Final = 3

ALL: Final = 1
UNENDED: Final = 2
"""What goes below a job that is gone: everything, or what has not ended and no worker holds."""

AT_ONCE: Final = {ALL: 1, UNENDED: 4}
"""How `control/remove_job` is told to take a job with what is below it."""

PARTS: Final = ("dependencies", "processed", "failed", "unsuccessful")

Progress = Callable[[int], object]


class _Step(NamedTuple):
    """What one call did with some children."""

    cursor: bytes
    removed: int
    kept: int
    opened: list[bytes]
    """Those that have children themselves."""
    deep: list[bytes]
    """Those that stand in long lines."""


class TreeRemoval:
    """One removal, perhaps in many calls. `count` jobs are gone so far; `on_step` is told."""

    def __init__(self, server: Server, keys: QueueKeys, sender: Sender, on_step: Progress) -> None:
        self.server = server
        self.keys = keys
        self.sender = sender
        self.on_step = on_step
        self.count = 0

    def _add(self, removed: int) -> None:
        self.count += removed
        if removed:
            self.on_step(self.count)

    async def _step(
        self, parent_key: str, parent_left: int, cursor: bytes, above: Sequence[bytes] = ()
    ) -> _Step:
        """Remove some children of a job. `above`: those that are gone and are not to be gone into again."""
        server, keys, clock, most = self.server, self.keys, "", CHILDREN_PER_CALL

        async def call(sent: Sent) -> _Step:
            return _Step(
                *await server.run(
                    load("control/remove_children"),
                    keys,
                    clock,
                    sent.sender,
                    sent.number,
                    parent_key,
                    parent_left,
                    cursor,
                    most,
                    *above,
                )
            )

        done = await self.sender.send(call)
        self._add(done.removed)
        return done

    async def remove(self, keys: QueueKeys, wire_id: str, place: int = 0) -> Removal:
        """Remove a job with all below it; `place`: where it has been seen in line. A tree too large for one
        call is looked through first; then it goes from the top down, so that nothing of it is released on the way, and
        what a worker has started meanwhile is left to it."""
        done = await self._call(keys, wire_id, children=1, place=place)
        if done.code == Refusal.NO_JOB and await self._was_interrupted(keys.job(wire_id)):
            await self._remove_below(keys.job(wire_id))
            return Removal(1, 0)
        if done.code != TOO_MANY:
            self._add(int(done.detail) if done.code == 1 else 0)
            return done
        refused = await self._find_refusal(keys.job(wire_id))
        if refused is not None:
            return refused
        done = await self._call(keys, wire_id, children=2)
        if done.code == 1:
            self._add(1)
            await self._remove_below(keys.job(wire_id))
        return done

    async def remove_unprocessed(self, wire_id: str) -> None:
        """Remove the children of a job that have not ended, and those below them, but not those that a worker holds."""
        cursor, begun = b"0", False
        while not begun or cursor != b"0":
            begun = True
            step = await self._step(self.keys.job(wire_id), 0, cursor)
            cursor = step.cursor
            for child, place in await self._left_over(step):
                await self._remove_unended(child, place)

    async def _remove_unended(self, child: JobKey, place: int) -> None:
        keys, wire_id = child.keys, child.wire_id
        done = await self._call(keys, wire_id, children=AT_ONCE[UNENDED], place=place)
        if done.code != TOO_MANY:
            self._add(int(done.detail) if done.code == 1 else 0)
        elif (await self._call(keys, wire_id, children=2)).code == 1:
            self._add(1)
            await self._remove_below(keys.job(wire_id), UNENDED)

    async def _call(self, keys: QueueKeys, wire_id: str, children: int, place: int = 0) -> Removal:
        return await self.sender.send(
            lambda sent: remove_step(self.server, keys, wire_id, children=children, search=-place, sent=sent)
        )

    async def _remove_below(self, parent_key: str, what: int = ALL) -> None:
        """Remove what is below a job that is gone. Jobs below others are gone before these are looked at again."""
        gone, above = {parent_key: None}, list[bytes]()
        while gone:
            step = await self._step(next(reversed(gone)), what, b"0", above)
            if step.cursor == b"0":
                gone.popitem()
                continue
            above = [key for key in step.opened if _text(key) in gone]
            for child, place in await self._left_over(step):
                key = child.keys.job(child.wire_id)
                if key not in gone and await self._remove_top(child, place, what):
                    gone[key] = None

    async def _remove_top(self, child: JobKey, place: int, what: int) -> bool:
        """Remove a child of a job that is gone. True when it went alone: there is too much below it, or a worker holds
        something of that."""
        keys, wire_id = child.keys, child.wire_id
        done = await self._call(keys, wire_id, children=AT_ONCE[what], place=place)
        held_below = done.code in (0, Refusal.SCHEDULED) and done.detail != keys.job(wire_id).encode()
        if done.code == TOO_MANY or held_below:
            done = await self._call(keys, wire_id, children=3)
            self._add(1 if done.code == 1 else 0)
            return done.code == 1
        self._add(int(done.detail) if done.code == 1 else 0)
        return done.code == Refusal.NO_JOB and await self._was_interrupted(keys.job(wire_id))

    async def _was_interrupted(self, job_key: str) -> bool:
        """Whether a job that is gone has left children behind: an earlier removal ended half-way."""
        lists = [f"{job_key}:{part}" for part in PARTS]
        return bool(await self.server.patiently(lambda: self.server.call("EXISTS", *lists)))

    async def _left_over(self, step: _Step) -> list[tuple[JobKey, int]]:
        """The children that a step has left to calls of their own, with their places in line where they were looked
        for: several in the same line in one pass."""
        names = [_text(key) for key in (*step.opened, *step.deep)]
        children = await self.server.patiently(lambda: split_keys(self.server, self.keys, names))
        lines: dict[str, list[JobKey]] = {}
        for child in children[len(step.opened) :]:
            lines.setdefault(child.keys.base, []).append(child)
        places: dict[JobKey, int] = {}
        for line in lines.values():
            if len(line) > 1:
                places |= await self._find(line)
        return [(child, places.get(child, 0)) for child in children]

    async def _find(self, line: list[JobKey]) -> dict[JobKey, int]:
        missing = {child.wire_id: child for child in line}
        places: dict[JobKey, int] = {}
        search, begun = 0, False
        while missing and (search or not begun):
            begun = True
            page = await self._search(line[0].keys, list(missing), search)
            places |= {missing.pop(wire_id): place for wire_id, place in page.places if wire_id in missing}
            search = page.search
        return places

    async def _search(self, keys: QueueKeys, wire_ids: list[str], search: int) -> PlacesPage:
        return await self.server.patiently(lambda: find_waiting(self.server, keys, wire_ids, search))

    async def _pages(self, job_key: str) -> AsyncIterator[tuple[bytes, int, int]]:
        """All children: their keys, why they may not be removed (1: they may), and how many they have themselves."""
        for part in PARTS:
            cursor: bytes | None = b"0"
            while cursor is not None:
                page = await self._page(job_key, part, cursor)
                for row in page.rows:
                    yield row
                cursor = page.cursor

    async def _page(self, job_key: str, part: str, cursor: bytes) -> ChildPage:
        server = self.server
        return await server.patiently(lambda: list_children(server, self.keys, job_key, part, cursor))

    async def _find_refusal(self, job_key: str) -> Removal | None:
        waiting, seen = [job_key], {job_key}
        while waiting:
            async for child_key, refusal, count in self._pages(waiting.pop()):
                if refusal != 1:
                    return Removal(refusal, child_key)
                name = _text(child_key)
                if count and name not in seen:
                    seen.add(name)
                    waiting.append(name)
        return None


def _text(key: bytes) -> str:
    return key.decode("utf-8", "surrogateescape")
