"""What can be done with flows, as steps that both engines can take, and seeded sequences of them.

All jobs have ids of the test's choice. There are two queues, named by their numbers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tests.interop.intended import KEPT
from tests.interop.operations import MINUTE, Claim, Complete, Fail, Operation, SetPaused, Snooze
from tests.interop.queue_steps import Clean, Drain
from tests.interop.timed import Pass

POLICIES = ("fpof", "cpof", "idof", "rdof", "")
"""What the failure of a child means, as it is stored. None of them: its parent waits on."""


@dataclass(frozen=True)
class Tree:
    """A job to be, with those below it. `options` are BullMQ's."""

    job_id: str
    children: tuple[Tree, ...] = ()
    policy: str = ""
    queue: int = 0
    options: dict[str, Any] = field(default_factory=lambda: KEPT)


@dataclass(frozen=True)
class AddFlow:
    """Add a tree at once."""

    root: Tree


@dataclass(frozen=True)
class AddChildren:
    """The handler of a held job adds children to its job."""

    queue: int
    held: int
    children: tuple[Tree, ...]


@dataclass(frozen=True)
class WaitForChildren:
    """A held job goes to wait for the children that it has."""

    queue: int
    held: int


@dataclass(frozen=True)
class On:
    """A step about jobs of one queue."""

    queue: int
    step: Operation | Drain | Clean


@dataclass(frozen=True)
class Kin:
    """What is done to one job for the sake of its family: remove, remove alone, remove unprocessed, detach."""

    verb: str
    queue: int
    job_id: str


@dataclass(frozen=True)
class Retry:
    """Retry a job that has ended in `state`."""

    queue: int
    state: str
    position: int


Step = AddFlow | AddChildren | WaitForChildren | On | Kin | Retry | Pass

FORMS: tuple[dict[str, Any], ...] = ({}, {}, {}, {"delay": 10 * MINUTE}, {"priority": 2}, {"lifo": True})
KEEPING = ("removeOnComplete", "removeOnFail")
VERBS = ("remove", "remove alone", "remove unprocessed", "detach")


def draw_flows(seed: int, length: int, *, removing: bool) -> list[Step]:
    """Draw some `length` steps; the same seed gives the same ones, for ever.

    Either jobs are removed and detached, or parents have delays and priorities: of a parent whose last child goes
    BullMQ does not look at these.
    """
    dice = _Dice(seed, removing)
    return [dice.add_flow(), *dice.draw(length)]


class _Dice:
    """Draws steps from a seed."""

    def __init__(self, seed: int, removing: bool) -> None:
        self._random = random.Random(f"flows {seed}")
        self._removing = removing
        self._known: list[Tree] = []
        self._paused = [False, False]

    def draw(self, length: int) -> list[Step]:
        """Draw steps; claims and their ends are the most frequent."""
        weighted: dict[Callable[[], Sequence[Step]], int] = {
            lambda: [self.add_flow()]: 10,
            lambda: [self._on(Claim(self._random.randint(1, 3)))]: 30,
            lambda: [self._on(self._complete())]: 22,
            lambda: [self._on(self._fail())]: 18,
            lambda: [self._add_children(), WaitForChildren(*self._held())]: 8,
            lambda: [WaitForChildren(*self._held())]: 3,
            lambda: [self._kin()] if self._removing else []: 16,
            lambda: [self._retry()]: 8,
            lambda: [self._on(Snooze(self._position(), 25 * MINUTE))]: 2,
            lambda: [self._set_paused()]: 2,
            lambda: [self._taken_out()] if self._removing else []: 4,
            lambda: [Pass(13 * MINUTE), On(0, Claim()), On(1, Claim())]: 6,
        }
        makers = self._random.choices(list(weighted), list(weighted.values()), k=length)
        return [step for make in makers for step in make()]

    def add_flow(self) -> AddFlow:
        """Draw a tree of two or three levels."""
        return AddFlow(replace(self._tree(self._random.choice((1, 1, 2))), policy=""))

    def _tree(self, depth: int) -> Tree:
        """Only the last child has children of its own: whichever way a tree is gone through, the order is the same."""
        count = self._random.randint(0, 2) if depth else -1
        children = tuple(self._tree(0) for _ in range(count)) + ((self._tree(depth - 1),) if depth else ())
        options = {**KEPT, "attempts": self._random.choice((1, 1, 2))}
        if self._removing:
            options |= {self._random.choice(KEEPING): self._random.choice((False, False, True, 1))}
        if not (children and self._removing):
            options |= self._random.choice(FORMS)
        policy, queue = self._random.choice(POLICIES), self._random.randrange(2)
        tree = Tree(f"n{len(self._known) + 1}", children, policy, queue, options)
        self._known.append(tree)
        return tree

    def _position(self) -> int:
        return self._random.randrange(8)

    def _taken_out(self) -> On:
        state = self._random.choice(("wait", "delayed", "completed", "failed", "prioritized"))
        return self._on(self._random.choice((Drain(self._random.random() < 0.5), Clean(state, 0))))

    def _on(self, step: Operation | Drain | Clean) -> On:
        return On(self._random.randrange(2), step)

    def _held(self) -> tuple[int, int]:
        return self._random.randrange(2), self._position()

    def _add_children(self) -> AddChildren:
        return AddChildren(*self._held(), tuple(self._tree(0) for _ in range(self._random.randint(1, 2))))

    def _complete(self) -> Complete:
        return Complete(self._position(), {"n": self._position()}, self._random.random() < 0.5)

    def _fail(self) -> Fail:
        return Fail(self._position(), "no", self._random.random() < 0.4, self._random.random() < 0.5)

    def _kin(self) -> Kin:
        tree = self._random.choice(self._known)
        return Kin(self._random.choice(VERBS), tree.queue, tree.job_id)

    def _retry(self) -> Retry:
        return Retry(
            self._random.randrange(2),
            self._random.choice(("failed", "failed", "completed")),
            self._position(),
        )

    def _set_paused(self) -> On:
        queue = self._random.randrange(2)
        self._paused[queue] = not self._paused[queue]
        return On(queue, SetPaused(self._paused[queue]))
