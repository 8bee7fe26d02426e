"""The differential harness itself: it must find nothing where nothing is, and find every mistake."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.interop.bullmq import Node, NodeQueue
from tests.interop.comparison import IntendedDifference, diff, unexplained
from tests.interop.operations import Add, Claim, Complete, Fail, LoseLock, Operation, SetPaused, draw
from tests.interop.play import Spoil, outcome, player
from tests.interop.sides import NodeSide, Player
from tests.interop.snapshot import Raw

#: What BullMQ itself changed between 5.81 and 6.7 in what these sequences do (wire-format §29).
V5_AGAINST_V6 = [
    IntendedDifference("meta.content.version", "each names itself"),
    IntendedDifference("events.debounced", "only v5 writes it, before each `deduplicated`"),
]


Players = Callable[[Node, str], Player]


@pytest.fixture
def side(raw: Raw, redis_url: str, prefix: str, queue_name: str) -> Players:
    """Make a player for a Node process on a prefix of its own."""

    def make(node: Node, which: str) -> Player:
        side = NodeSide(NodeQueue(node, redis_url, f"{prefix}-{which}", queue_name))
        return player(side, raw, node, redis_url)

    return make


@pytest.mark.parametrize("seed", range(12))
async def test_the_same_version_twice_leaves_the_same(seed: int, newest: Node, side: Players) -> None:
    """One engine, played twice, differs in nothing: ids, times and tokens are the only chance in it."""
    operations = draw(seed, 100)
    left = await outcome(side(newest, "a"), operations)
    right = await outcome(side(newest, "b"), operations)
    assert diff(left, right) == []


@pytest.mark.parametrize("seed", range(6))
async def test_two_versions_differ_only_where_bullmq_changed(
    seed: int,
    newest: Node,
    node_process: Callable[[str], Node],
    side: Players,
) -> None:
    """v5.81 and v6.7 differ in known places only (pause and what stalled too often are left out)."""
    operations = draw(seed, 100, without=(SetPaused, LoseLock))
    older = node_process("5-81")
    left = await outcome(side(older, "a"), operations)
    right = await outcome(side(newest, "b"), operations)
    await older.call("closeAll")
    assert unexplained(diff(left, right), V5_AGAINST_V6) == []
    assert any(found.where == "meta.content.version" for found in diff(left, right))


KNOWN: list[Operation] = [
    Add("plain", {"n": 1}, {"attempts": 2}),
    Add("plain", {"n": 2}, {"attempts": 1}),
    Add("plain", {"n": 3}, {"attempts": 2, "backoff": {"type": "fixed", "delay": 60_000}}),
    Add("prioritized", {"n": 4}, {"attempts": 1, "priority": 2}),
    Add("delayed", {"n": 5}, {"attempts": 1, "delay": 600_000}),
    Add("deduplicated", {"n": 6}, {"attempts": 1, "deduplication": {"id": "d1", "ttl": 600_000}}),
    Add("given", {"n": 7}, {"attempts": 1, "jobId": "order-1"}),
    Claim(3),
    Complete(0, {"sum": 1}),
    Fail(0, "no"),
    Fail(0, "later"),
    Claim(1),
]


async def _last_event_lost(raw: Raw, base: str) -> None:
    [(entry_id, _)] = await raw.xrevrange(f"{base}events", count=1)
    await raw.xdel(f"{base}events", entry_id)


async def _delayed_moved(raw: Raw, base: str) -> None:
    [(member, score), *_] = await raw.zrange(f"{base}delayed", 0, -1, withscores=True)
    await raw.zadd(f"{base}delayed", {member: score + 5 * 4096})


async def _claimed_twice(raw: Raw, base: str) -> None:
    [member] = await raw.lrange(f"{base}active", 0, 0)
    await raw.rpush(f"{base}wait", member)


async def _field(raw: Raw, base: str, name: str, value: str | None) -> None:
    """Change a field of the job that failed for good."""
    [job_id] = await raw.zrange(f"{base}failed", 0, 0)
    await (raw.hdel(base + job_id, name) if value is None else raw.hset(base + job_id, name, value))


async def _end_of_window_lost(raw: Raw, base: str) -> None:
    await raw.persist(f"{base}de:d1")


async def _lock_lost(raw: Raw, base: str) -> None:
    [job_id] = await raw.lrange(f"{base}active", 0, 0)
    await raw.delete(f"{base}{job_id}:lock")


async def _custom_id_changed(raw: Raw, base: str) -> None:
    await raw.rename(f"{base}order-1", f"{base}order-one")


MISTAKES: dict[str, Spoil] = {
    "an event is missing": _last_event_lost,
    "a job in two lists": _claimed_twice,
    "another due time than announced": _delayed_moved,
    "atm is not counted": lambda raw, base: _field(raw, base, "atm", "0"),
    "finishedOn is missing": lambda raw, base: _field(raw, base, "finishedOn", None),
    "another failedReason": lambda raw, base: _field(raw, base, "failedReason", "yes"),
    "an extra field": lambda raw, base: _field(raw, base, "extra", "1"),
    "a window without an end": _end_of_window_lost,
    "an active job without a lock": _lock_lost,
    "a custom id that is not kept": _custom_id_changed,
    "no marker": lambda raw, base: raw.delete(f"{base}marker"),
    "another priority sequence": lambda raw, base: raw.incr(f"{base}pc"),
    "another id counter": lambda raw, base: raw.incr(f"{base}id"),
    "an extra key": lambda raw, base: raw.set(f"{base}extra", "1"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
async def test_a_mistake_is_found(mistake: str, newest: Node, side: Players) -> None:
    """Each kind of mistake an engine could make in a key, field, order or event shows as a difference."""
    left = await outcome(side(newest, "a"), KNOWN)
    right = await outcome(side(newest, "b"), KNOWN, MISTAKES[mistake])
    assert diff(left, right) != []


async def test_the_known_sequence_is_equal_without_a_mistake(newest: Node, side: Players) -> None:
    """The sequence that the mistakes are put into differs in nothing by itself."""
    left = await outcome(side(newest, "a"), KNOWN)
    right = await outcome(side(newest, "b"), KNOWN)
    assert diff(left, right) == []
