"""What holds after every step, whatever the model says: looked up in the server's own keys."""

from __future__ import annotations

from typing import Any

from tests.model.queue_state import HELD_OFF, PLACES


def check(found: object, wanted: object) -> None:
    """Fail with both: plain asserts show them in test modules only."""
    assert found == wanted, f"is {found!r}, should be {wanted!r}"


def check_places(state: dict[str, Any]) -> set[str]:
    """M2: each job is in exactly one place. Returns the ids of all jobs."""
    places = [*state.get("wait", []), *state.get("active", [])]
    for name in ("prioritized", "delayed", "completed", "failed", "waiting-children"):
        places += [member for member, _ in state.get(name, [])]
    hashes = {key for key, value in state.items() if isinstance(value, dict) and "timestamp" in value}
    check(sorted(places), sorted(hashes))
    return hashes


def check_runs(state: dict[str, Any], hashes: set[str]) -> None:
    """M3: only active jobs have locks. M5: no attempt ends before it starts. M11: due times can be read."""
    for key in state:
        if key.endswith(":lock"):
            assert key.removesuffix(":lock") in state.get("active", []), f"{key}, but the job is not active"
    for wire_id in hashes:
        started, made, stalls = (int(state[wire_id].get(name, 0)) for name in ("ats", "atm", "stc"))
        assert made <= started, f"{wire_id}: more attempts made than started"
        assert stalls <= started, f"{wire_id}: more stalls than starts"
    for wire_id, score in state.get("delayed", []):
        due = score // PLACES
        assert due >= int(state[wire_id]["timestamp"]), f"{wire_id} is due before it was added"


def check_markers(state: dict[str, Any]) -> None:
    """M13: somebody can be woken for what is ready, and for what is due next."""
    ready = state.get("wait") or state.get("prioritized")
    marker = dict(state.get("marker", []))
    meta = state.get("meta", {})
    is_full = len(state.get("active", [])) >= int(meta.get("concurrency", 1_000_000))
    # Who met a rate limit comes back by itself when it ends.
    is_limited = int(state.get("limiter", 0)) >= int(meta.get("max", HELD_OFF))
    if ready and "paused" not in meta and not is_full and not is_limited:
        assert "0" in marker, "ready jobs, and nobody is woken"
    if marker.get("1") and state.get("delayed"):
        assert marker["1"] <= state["delayed"][0][1] // PLACES, "the next due job wakes nobody in time"


def check_families(state: dict[str, Any], hashes: set[str], base: str) -> None:
    """M8: a parent that waits does so for a child that has not ended, or has failed where that means nothing to it."""
    for parent, _ in state.get("waiting-children", []):
        children = [key.removeprefix(base) for key in state.get(f"{parent}:dependencies", ())]
        assert children, f"{parent} waits for nobody"
        for child in children:
            assert child in hashes, f"{parent} waits for {child}, which is gone"
            job = state[child]
            is_over = "finishedOn" in job and ("returnvalue" in job or "pof" in job["parent"])
            assert not is_over, f"{parent} waits for {child}, which has ended"


def check_schedules(state: dict[str, Any], hashes: set[str]) -> None:
    """M10: each schedule has exactly one pending iteration, and it is the one that the schedule names."""
    unstarted = {job: state[job]["rjk"] for job in hashes if "rjk" in state[job] and "ats" not in state[job]}
    named = {f"repeat:{schedule}:{due}": schedule for schedule, due in state.get("repeat", [])}
    check(unstarted, named)


def check_counts(state: dict[str, Any], counts: dict[str, int]) -> None:
    """M15: the counts are the sizes of the sets."""
    wanted = {
        name: len(state.get(name, []))
        for name in ("active", "delayed", "prioritized", "completed", "failed", "waiting-children")
    }
    check(counts, {**wanted, "waiting": len(state.get("wait", []))})
