"""Parents and children as they should be: a parent waits until each child has ended as its policy demands, and no
longer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from corral.engine.record import Refusal
from tests.model.calls import Child
from tests.model.queue_state import PLACES
from tests.model.schedule_model import ScheduleModel


@dataclass
class Family:
    """The children of one parent, by their keys: those that it waits for, and how the others ended."""

    pending: set[str] = field(default_factory=set)
    processed: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    unsuccessful: dict[str, int] = field(default_factory=dict)


class FamilyModel(ScheduleModel):
    """A queue with flows: trees of jobs of this queue."""

    def key(self, wire_id: str) -> str:
        """The full key of a job."""
        return f"{self.base}{wire_id}"

    def add_flow(self, parent: str, children: Sequence[Child], delay: int, priority: int) -> None:
        """Add a parent and its children, all new; the parent's delay and priority count when it is released."""
        self.begin()
        self.meta |= {"opts.maxLenEvents": "10000", "version": "corral"}
        self.added += 1 + len(children)
        self.store(parent, delay, priority)
        self.waiting_children[parent] = self.now
        self.say("waiting-children", jobId=parent)
        self.families[parent] = Family({self.key(child.wire_id) for child in children})
        for child in children:
            self.store(
                child.wire_id, child.delay, child.priority,
                parentKey=self.key(parent), parent=parent_of(child, parent, self.base),
            )  # fmt: skip
            if child.delay:
                self.delay(child.wire_id, child.delay)
            else:
                self.ready(child.wire_id)
                self.say("waiting", jobId=child.wire_id)
        listed = ",".join(json.dumps([child.wire_id, "n"], separators=(",", ":")) for child in children)
        self.jobs[parent]["children"] = listed

    def refusal_to_complete(self, wire_id: str) -> int:
        """A parent does not complete while it waits for a child, nor when one has failed it."""
        family = self.families.get(wire_id, Family())
        if family.pending:
            return Refusal.CHILDREN_PENDING
        return Refusal.CHILDREN_FAILED if family.unsuccessful else 0

    def refusal_to_wait(self, wire_id: str) -> int:
        """Who waits for children has some, or has had them, and none has failed it."""
        family = self.families.get(wire_id, Family())
        if family.unsuccessful:
            return Refusal.CHILDREN_FAILED
        return 0 if "children" in self.jobs[wire_id] else Refusal.NO_CHILDREN

    def wait_for_children(self, wire_id: str) -> bool:
        """Wait for those that have not ended. False when all have: then it runs again at once."""
        if not self.families[wire_id].pending:
            return False
        self.waiting_children[wire_id] = self.now
        self.say("waiting-children", jobId=wire_id, prev="active")
        return True

    def tell_parent(self, wire_id: str, verb: str, text: str) -> None:
        """A child has ended: its parent hears of it."""
        job = self.jobs[wire_id]
        parent = job.get("parentKey", "").removeprefix(self.base)
        family, key = self.families.get(parent, Family()), self.key(wire_id)
        policy = json.loads(job.get("parent", "{}"))
        known = {"fpof", "cpof", "idof", "rdof"} & policy.keys()
        if key not in family.pending or (verb != "c" and not known):
            return
        family.pending.remove(key)
        if verb == "c":
            family.processed[key] = text
            self._release_if_done(parent)
        elif "fpof" in known:
            family.unsuccessful[key] = self.now
            self._fail(parent, f"child {key} failed")
        elif "cpof" in known:
            family.failed[key] = text
            self._release_if_waiting(parent)
        else:
            self._release_if_done(parent)
            if "idof" in known:
                family.failed[key] = text

    def unlink(self, wire_id: str) -> None:
        """A child is gone: its parent waits for it no longer."""
        parent = self.jobs[wire_id].get("parentKey", "").removeprefix(self.base)
        family = self.families.get(parent, Family())
        if self.key(wire_id) in family.pending:
            family.pending.remove(self.key(wire_id))
            self._release_if_done(parent)

    def forget(self, wire_id: str) -> None:
        """All keys of a job are gone, those of its family among them."""
        super().forget(wire_id)
        self.families.pop(wire_id, None)

    def _fail(self, parent: str, reason: str) -> None:
        if parent in self.delayed:
            del self.delayed[parent]
            self.jobs[parent]["delay"] = "0"
        elif parent in self.waiting_children:
            del self.waiting_children[parent]
        else:
            if parent not in self.failed and "corral.failure" not in self.jobs[parent]:
                self.jobs[parent]["defa"] = reason
            return
        self.jobs[parent]["defa"] = reason
        self._release(parent)

    def _release_if_done(self, parent: str) -> None:
        if not self.families[parent].pending:
            self._release_if_waiting(parent)

    def _release_if_waiting(self, parent: str) -> None:
        if self.waiting_children.pop(parent, None) is not None:
            self._release(parent)

    def _release(self, parent: str) -> None:
        """It runs next among its equals; or after its delay, which begins now."""
        delay, priority = int(self.jobs[parent]["delay"]), int(self.jobs[parent]["priority"])
        if delay:
            self.delayed[parent] = (self.now + delay) * PLACES
            self.say("delayed", jobId=parent, delay=self.now + delay)
            self.marker["1"] = min(self.delayed.values()) // PLACES
            return
        if priority:
            self.prioritize(parent, priority)
        else:
            self.wait.append(parent)
        if not (self.is_paused or self.is_full_here()):
            self.marker["0"] = 0
        self.say("waiting", jobId=parent, prev="waiting-children")

    def is_full_here(self) -> bool:
        """Whether as many stand in `active` as may, at this point of the call: a large one leaves it in one go."""
        return self.concurrency is not None and len(self.active) + self.unswept >= self.concurrency


def parent_of(child: Child, parent: str, base: str) -> str:
    """What a child's hash says of its parent."""
    policy = {child.policy: True} if child.policy else {}
    return json.dumps({"id": parent, "queueKey": base.removesuffix(":"), **policy}, separators=(",", ":"))
