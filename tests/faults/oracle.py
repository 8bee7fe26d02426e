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
        """How many jobs wait, run, or are delayed, all at one moment: a job may be on its way from one to another."""
        with self.client.pipeline(transaction=True) as together:
            for name in ("wait", "active"):
                together.llen(self.base + name)
            for name in ("delayed", "prioritized"):
                together.zcard(self.base + name)
            return sum(together.execute())

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

    def where(self, wire_id: str) -> list[str]:
        """The lists and sets that have the id."""
        lists = [
            name
            for name in ("wait", "active")
            if wire_id.encode() in self.client.lrange(self.base + name, 0, -1)
        ]
        sets = [
            name for name in ("delayed", *ENDS) if self.client.zscore(self.base + name, wire_id) is not None
        ]
        return lists + sets

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
    lost = accepted - ended.keys()
    states = {job: (corner.client.hgetall(corner.base + job), corner.where(job)) for job in lost}
    assert states == {}, "jobs that have not ended"
    assert corner.unfinished() == 0
    assert corner.locks() == []
    outcomes = corner.outcomes()
    assert {job: n for job, n in outcomes.items() if n != 1} == {}, "jobs with more than one outcome"
    assert outcomes.keys() == ended.keys()
    starts = Counter(each.job for each in seen if each.what == "start")
    counted = {job: int(corner.field(job, "ats") or 0) for job in starts}
    assert {job: n for job, n in starts.items() if n > counted[job]} == {}, "runs that were not counted"
