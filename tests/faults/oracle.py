"""What must hold after any fault, whatever happened: checked against the server, its events, and the witness."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from tests.faults.witness import Sighting

ENDS = ("completed", "failed")


class Corner:
    """One queue on one server, looked at directly."""

    def __init__(self, client: Any, prefix: str, queue: str) -> None:
        self.client = client
        self.base = f"{prefix}:{queue}:"

    def keep_all_events(self) -> None:
        """Let the event stream grow, so that it tells of every job of the test."""
        self.client.hset(self.base + "meta", "opts.maxLenEvents", 10_000_000)

    def unfinished(self) -> int:
        """How many jobs wait, run, or are delayed."""
        lists = sum(int(self.client.llen(self.base + name)) for name in ("wait", "active"))
        sets = sum(int(self.client.zcard(self.base + name)) for name in ("delayed", "prioritized"))
        return lists + sets

    def ended(self) -> dict[str, str]:
        """The state of each job that has ended."""
        return {
            wire_id.decode(): state
            for state in ENDS
            for wire_id in self.client.zrange(self.base + state, 0, -1)
        }

    def outcomes(self) -> Counter[str]:
        """How many ends the event stream tells of each job."""
        entries = self.client.xrange(self.base + "events")
        return Counter(
            fields[b"jobId"].decode() for _, fields in entries if fields[b"event"].decode() in ENDS
        )

    def field(self, wire_id: str, name: str) -> str | None:
        """One field of a job."""
        value = self.client.hget(self.base + wire_id, name)
        return None if value is None else value.decode()

    def locks(self) -> list[bytes]:
        """All locks."""
        return list(self.client.scan_iter(self.base + "*:lock", count=1000))


class Rerun(NamedTuple):
    """A job that was running when its worker was killed, and how long until it ran again."""

    job: str
    seconds: float


def reruns(seen: Iterable[Sighting], killed: Mapping[int, float]) -> list[Rerun]:
    """For each run cut off by a kill: the seconds until the next start of its job."""
    runs: dict[str, list[Sighting]] = defaultdict(list)
    for each in seen:
        runs[each.job].append(each)
    found = []
    for job, story in runs.items():
        for at, each in enumerate(story):
            over = any(later.pid == each.pid and later.what == "end" for later in story[at + 1 :])
            following = next((later for later in story[at + 1 :] if later.what == "start"), None)
            if each.what == "start" and not over and each.pid in killed and following:
                found.append(Rerun(job, following.at - killed[each.pid]))
    return found


def check(corner: Corner, accepted: Iterable[str], seen: Iterable[Sighting]) -> None:
    """No accepted job is lost, each has one outcome, no lock is left, no handler ran more often than counted."""
    accepted = set(accepted)
    ended = corner.ended()
    assert accepted - ended.keys() == set(), "jobs that have not ended"
    assert corner.unfinished() == 0
    assert corner.locks() == []
    outcomes = corner.outcomes()
    assert {job: n for job, n in outcomes.items() if n != 1} == {}, "jobs with more than one outcome"
    assert outcomes.keys() == ended.keys()
    starts = Counter(each.job for each in seen if each.what == "start")
    counted = {job: int(corner.field(job, "ats") or 0) for job in starts}
    assert {job: n for job, n in starts.items() if n > counted[job]} == {}, "runs that were not counted"
