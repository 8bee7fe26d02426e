"""Where flows of Corral leave something else behind than those of BullMQ 6.7, and why. Every row is shown by a test."""

from __future__ import annotations

from dataclasses import replace

from tests.interop import intended
from tests.interop.flow_steps import AddFlow, Kin, On, Tree
from tests.interop.intended import KEPT, Intention
from tests.interop.operations import MINUTE, Claim, Complete, Fail
from tests.interop.queue_steps import Drain

FAMILY = Tree("p", (Tree("a", policy="fpof"),))
LATER = {**KEPT, "delay": MINUTE}
URGENT = {**KEPT, "priority": 2}

#: What shows in any sequence and changes nothing that follows. What is left of two queues has their numbers before it.
EVERYWHERE = [
    *(replace(row, places=tuple(f"?.{place}" for place in row.places)) for row in intended.EVERYWHERE),
    Intention(
        "order of children",
        "a parent notes its children in the order in which they were added, which BullMQ does not know",
        ("?.*.content.children",),
        [AddFlow(Tree("p", (Tree("a"), Tree("b"))))],
    ),
]

ANYWHERE = ("answers", "?.*")

#: What drawn sequences leave out, because all that follows is another order or another job.
APART = [
    Intention(
        "release before removal",
        "BullMQ releases a parent whose children it removes before it removes the parent too: a worker could take it",
        ("?.events.content.p",),
        [AddFlow(FAMILY), Kin("remove", 0, "p")],
    ),
    Intention(
        "release by a drain",
        "BullMQ does not tell of a parent in another queue whose last child is drained or cleaned",
        ("1.events.content.p",),
        [AddFlow(replace(FAMILY, queue=1)), On(0, Drain(delayed=False))],
    ),
    Intention(
        "order of releases by a drain",
        "Corral drains in steps, in the direction in which jobs move, so that none passes by",
        ("1.wait.content", "1.events.content.*"),
        [
            AddFlow(Tree("p", (Tree("a"),), queue=1)),
            AddFlow(Tree("q", (Tree("b", options=URGENT),), queue=1)),
            On(0, Drain(delayed=False)),
        ],
    ),
    Intention(
        "delay of a parent whose last child goes",
        "BullMQ does not look at it: the parent would run too soon",
        ("?.delayed", "?.wait*", "?.events.content.p"),
        [AddFlow(replace(FAMILY, options=LATER)), Kin("remove", 0, "a")],
    ),
    Intention(
        "priority of a parent whose last child goes",
        "BullMQ does not look at it: the parent would run too soon",
        ("?.pc", "?.prioritized", "?.wait*", "?.events.content.p"),
        [AddFlow(replace(FAMILY, options=URGENT)), Kin("detach", 0, "a")],
    ),
    Intention(
        "order of a tree",
        "BullMQ adds it level by level, Corral branch by branch: parents stand before their children in both",
        ("?.wait.content",),
        [AddFlow(Tree("p", (Tree("a", (Tree("b"),)), Tree("c"))))],
    ),
    Intention(
        "policy of a root",
        "it has no parent that its failure could mean anything to",
        ("?.p.content.opts.fpof",),
        [AddFlow(replace(FAMILY, policy="fpof"))],
    ),
    Intention(
        "half a flow",
        "BullMQ adds what can be added, and a parent that waits for ever",
        ANYWHERE,
        [AddFlow(FAMILY), AddFlow(replace(FAMILY, job_id="q"))],
    ),
    Intention(
        "failed before it became a child",
        "BullMQ's parent waits until the child is retried; its policy applies at once",
        ANYWHERE,
        [AddFlow(Tree("a")), On(0, Claim()), On(0, Fail(0, "no")), AddFlow(FAMILY)],
    ),
    Intention(
        "a run below a child that has ended",
        "BullMQ removes it with the family: no worker's job is taken away",
        ANYWHERE,
        [
            AddFlow(Tree("p", (Tree("a", (Tree("b", policy="cpof"), Tree("c")), policy="idof"),))),
            *(
                On(0, Claim(2)),
                On(0, Fail(0, "no")),
                On(0, Claim()),
                On(0, Fail(1, "no")),
                Kin("remove", 0, "p"),
            ),
        ],
    ),
    Intention(
        "a root that runs",
        "BullMQ adds children to a job whatever its state, Corral only while it waits for children",
        ANYWHERE,
        [
            AddFlow(FAMILY),
            On(0, Claim()),
            On(0, Complete(0, 1)),
            On(0, Claim()),
            AddFlow(Tree("p", (Tree("b"),))),
        ],
    ),
]
