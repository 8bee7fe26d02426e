"""Reading flows: the children of a job, and the tree below it, in pages."""

from __future__ import annotations

from itertools import islice
from typing import get_args

from corral.contracts.arguments import whole
from corral.contracts.codec import JSON_CODEC
from corral.contracts.family import Child, ChildCounts, ChildKind, ChildPage, FlowTree
from corral.contracts.names import decode_job_id
from corral.engine.browse import read_job
from corral.engine.browse_keys import JobKey, split_keys
from corral.engine.family import PARTS, count_children, page_children
from corral.engine.keys import QueueKeys
from corral.engine.server import Server
from corral.errors import InvalidOption

__all__ = ["child_counts", "child_page", "flow_tree"]

DEEPEST = 100

MAX_CURSOR = 2**64 - 1


async def child_counts(server: Server, keys: QueueKeys, wire_id: str) -> ChildCounts:
    """How many children a job has."""
    return ChildCounts(**await count_children(server, keys, wire_id))


async def child_page(
    server: Server, keys: QueueKeys, wire_id: str, kind: ChildKind, *, cursor: int, limit: int
) -> ChildPage:
    """Some children of one kind. Raises `InvalidOption` for a kind that is none."""
    if not isinstance(kind, str) or kind not in PARTS:
        raise InvalidOption("kind", kind, f"give one of {', '.join(get_args(ChildKind))}")
    whole("cursor", cursor, highest=MAX_CURSOR)
    most = min(whole("limit", limit, 1), 1000)
    found, after = await page_children(server, keys, wire_id, kind, cursor=cursor, limit=most)
    children = await split_keys(server, keys, [key for key, _ in found])
    texts = (text for _, text in found)
    return ChildPage([_child(*pair, kind) for pair in zip(children, texts, strict=True)], after)


async def flow_tree(
    server: Server, keys: QueueKeys, wire_id: str, *, depth: int, width: int
) -> FlowTree | None:
    """A job with those below it: so many levels, so many children of each."""
    whole("depth", depth)
    whole("width", width)
    job = await read_job(server, keys, wire_id)
    if job is None:
        return None
    counts = await count_children(server, keys, wire_id)
    total = sum(counts.values())
    if not total or depth < 1:
        return FlowTree(job, (), total)
    below: list[FlowTree] = []
    found = await _some_keys(server, keys, wire_id, counts, width)
    for child in await split_keys(server, keys, found):
        tree = await flow_tree(server, child.keys, child.wire_id, depth=min(depth, DEEPEST) - 1, width=width)
        below += [tree] if tree is not None else []
    return FlowTree(job, tuple(below), total - len(below))


async def _some_keys(
    server: Server, keys: QueueKeys, wire_id: str, counts: dict[str, int], width: int
) -> list[str]:
    found: list[str] = []
    for part in ("fatal", "pending", "tolerated", "completed"):
        if counts[part] and len(found) < width:
            page, _ = await page_children(server, keys, wire_id, part, limit=width)
            found += [key for key, _ in islice(page, width - len(found))]
    return found


def _child(child: JobKey, text: bytes, kind: ChildKind) -> Child:
    job_id, queue = decode_job_id(child.wire_id), child.queue
    if kind == "completed":
        return Child(job_id, queue, value=JSON_CODEC.decode(text))
    return Child(job_id, queue, reason=text.decode("utf-8", "replace") if kind == "tolerated" else None)
