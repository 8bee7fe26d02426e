"""From a tree of nodes to what the server is told: ids, keys, and the order in which jobs are added."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from corral.client.enqueuer import deduplication_words
from corral.client.ids import new_job_id
from corral.contracts.flow import FAILURE_FLAGS, FlowNode, check_child
from corral.contracts.names import decode_job_id
from corral.contracts.producer import EnqueueRequest
from corral.contracts.telemetry import with_trace
from corral.engine.enqueue import MAX_NODES
from corral.engine.keys import QueueKeys
from corral.engine.record import NewNode
from corral.errors import InvalidFlow

__all__ = ["Above", "PlannedJob", "in_calls", "plan_children", "plan_flow"]

MAX_BYTES: Final = 64 * 1024 * 1024
NAMESPACE: Final = uuid.UUID("4f2b6a0e-6f0c-5d6a-9f5e-1d1f3c0b7a11")
"""For the ids of children that are derived from their parent's: see `derived_id`."""


class Above(NamedTuple):
    """The job that nodes are added under: its queue's keys and its id in Redis. `stable`: a program that runs again
    comes to the same parent, so that its children are to be the same ones, too."""

    keys: QueueKeys
    wire_id: str
    stable: bool

    @property
    def key(self) -> str:
        """The key of the job."""
        return self.keys.job(self.wire_id)


class PlannedJob(NamedTuple):
    """A node, and the job that it becomes."""

    node: FlowNode[Any]
    keys: QueueKeys
    wire_id: str
    words: NewNode

    def traced(self, trace: str) -> NewNode:
        """The words, with a trace's context in its options."""
        return self.words._replace(opts=with_trace(str(self.words.opts), trace)) if trace else self.words


def plan_flow(
    roots: Sequence[FlowNode[Any]], keys_of: Callable[[str], QueueKeys], above: Above | None = None
) -> list[PlannedJob]:
    """The jobs of some trees that are to be added in one call, each parent before its children. Pure.

    Raises:
        InvalidFlow: a node or an id that stands in it twice, or too much for one call.
    """
    planned = [job for tree in plan_children(roots, keys_of, above) for job in tree]
    if len(planned) > MAX_NODES or _size(planned) > MAX_BYTES:
        raise _too_large()
    return planned


def plan_children(
    roots: Sequence[FlowNode[Any]], keys_of: Callable[[str], QueueKeys], above: Above | None
) -> list[list[PlannedJob]]:
    """The jobs of some trees, each of which fits into a call. Errors as `plan_flow`."""
    for root in roots if above is not None else ():
        check_child(root)
    met, taken = set[int](), set[str]()
    return [_tree(entry, keys_of, met, taken) for entry in _with_ids(roots, above)]


def in_calls(trees: Sequence[list[PlannedJob]]) -> Iterator[list[PlannedJob]]:
    """Trees put together as far as they fit into a call."""
    call: list[PlannedJob] = []
    size = 0
    for tree in trees:
        size += _size(tree)
        if call and (len(call) + len(tree) > MAX_NODES or size > MAX_BYTES):
            yield call
            call, size = [], _size(tree)
        call += tree
    if call:
        yield call


def _tree(
    entry: _Entry, keys_of: Callable[[str], QueueKeys], met: set[int], taken: set[str]
) -> list[PlannedJob]:
    planned: list[PlannedJob] = []
    waiting = [entry]
    while waiting:
        node, parent, wire_id = waiting.pop()
        request, keys = node.request, keys_of(node.request.queue)
        key = keys.job(wire_id)
        if id(node.origin) in met or key in taken:
            raise InvalidFlow(
                "duplicate", "it stands in it twice: each node is one job", queue=request.queue,
                job_id=decode_job_id(wire_id),
            )  # fmt: skip
        met.add(id(node.origin))
        taken.add(key)
        planned.append(PlannedJob(node, keys, wire_id, _words(node, keys, wire_id, parent)))
        if len(planned) > MAX_NODES:
            raise _too_large()
        stable = request.job_id is not None or (parent is not None and parent.stable)
        waiting += list(_with_ids(node.children, Above(keys, wire_id, stable)))[::-1]
    if _size(planned) > MAX_BYTES:
        raise _too_large()
    return planned


def _size(planned: Sequence[PlannedJob]) -> int:
    return sum(len(job.node.request.data) for job in planned)


def _too_large() -> InvalidFlow:
    return InvalidFlow(
        "too-large",
        f"one step takes {MAX_NODES} jobs and {MAX_BYTES >> 20} MiB of payloads: let the parent add its "
        "children when it runs (ctx.add_children), which takes any number",
    )


_Entry = tuple[FlowNode[Any], Above | None, str]


def _with_ids(nodes: Sequence[FlowNode[Any]], above: Above | None) -> Iterator[_Entry]:
    alike = Counter[tuple[str, str, bytes]]()
    for node in nodes:
        request = node.request
        if request.job_id is not None:
            yield node, above, request.job_id
        elif above is None or not above.stable:
            yield node, above, new_job_id()
        else:
            content = (request.queue, request.name, request.data)
            yield node, above, derived_id(above.key, request, alike[content])
            alike[content] += 1


def derived_id(parent_key: str, request: EnqueueRequest[Any], number: int) -> str:
    """The id of a child of a parent that the same program may meet again: the same for the same payload, so that no
    child is added twice, in whatever order. `number` counts children that are alike."""
    content = b"\0".join((request.queue.encode(), request.name.encode(), request.data, b"%d" % number))
    return str(uuid.uuid5(NAMESPACE, parent_key + "\0" + content.decode("utf-8", "surrogateescape")))


def _words(node: FlowNode[Any], keys: QueueKeys, wire_id: str, parent: Above | None) -> NewNode:
    request = node.request
    may_exist = request.job_id is not None or (parent is not None and parent.stable)
    flags = ("c" if may_exist else "") + ("l" if request.lifo else "") + ("p" if node.children else "")
    flag = FAILURE_FLAGS[node.on_failure] if parent is not None else ""
    policy = {flag: True} if flag else {}
    above = parent and {"id": parent.wire_id, "queueKey": parent.keys.base[:-1], **policy}
    return NewNode(
        keys.base, wire_id, flags, request.name, request.data, _opts(request.opts, flag, parent),
        request.delay_ms, "" if request.due_ms is None else request.due_ms, request.priority,
        parent.key if parent else "", json.dumps(above) if above else "",
        deduplication_words(request.deduplication),
    )  # fmt: skip


def _opts(text: str, flag: str, parent: Above | None) -> str:
    """The stored options of a child: its policy and its parent stand before them, so that what follows is as in any
    other job's."""
    if parent is None:
        return text
    named = json.dumps({"id": parent.wire_id, "queue": parent.keys.base[:-1]}, separators=(",", ":"))
    policy = f'"{flag}":true,' if flag else ""
    return f'{{{policy}"parent":{named},{text[1:]}'
