"""What arrived: looked up where it should have arrived, and not in what anybody said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from corral import Job, JobState
from corral.demo.receivers import Call, Mail
from corral.demo.story import PEOPLE, REFUSED_ORDER, UNLUCKY_ORDER, WIDTH, Sent

__all__ = ["ENDED", "LIVE", "Arrival", "World", "arrivals"]

ENDED: Final = 25
LIVE: Final = 15
"""Sessions in the database when the story begins: those to be deleted, and those to stay."""


@dataclass(frozen=True)
class Arrival:
    """One thing that should have come about, and what was found."""

    what: str
    where: str
    found: str
    ok: bool


@dataclass(frozen=True)
class World:
    """All that there is to look at."""

    sent: Sequence[Sent]
    jobs: Mapping[tuple[str, str], Job]
    mails: Sequence[Mail]
    calls: Sequence[Call]
    sessions_left: int
    reminder_delay: float

    def job(self, queue: str, job_id: str | None = None) -> Job | None:
        """A job of a queue, by its id, or the only one."""
        return next(
            (job for key, job in self.jobs.items() if key[0] == queue and job_id in (None, key[1])), None
        )

    def completed(self, *jobs: Job | None) -> bool:
        """Whether all of these are."""
        return all(job is not None and job.state is JobState.COMPLETED for job in jobs)


def arrivals(world: World) -> list[Arrival]:
    """Look at everything. What cannot even be looked at has not arrived."""
    return [_looked_at(look, world) for look in LOOKS]


def _looked_at(look: Callable[[World], Arrival], world: World) -> Arrival:
    try:
        return look(world)
    except Exception as error:  # noqa: BLE001 (a check that breaks is a thing that did not arrive)
        what = (look.__doc__ or look.__name__).rstrip(".")
        return Arrival(what, "-", f"{type(error).__name__}: {error}", ok=False)


def _welcome(world: World) -> Arrival:
    """Welcome mails."""
    got = sorted(mail.recipient for mail in world.mails if mail.subject.startswith("Welcome"))
    jobs = [world.job("email", f"welcome-{address}") for address in PEOPLE.values()]
    found = f"{len(got)} mails to {len(set(got))} people"
    return Arrival(
        "Welcome mails", "mail server", found, got == sorted(PEOPLE.values()) and world.completed(*jobs)
    )


def _clicked_twice(world: World) -> Arrival:
    """The same request twice."""
    again = [sent for sent in world.sent if not sent.created]
    got = [mail for mail in world.mails if mail.recipient == PEOPLE["Ada"]]
    found = f"{len(again)} jobs were there already, 1 mail of each kind"
    return Arrival("The same request, twice", "mail server", found, len(again) == 2 and len(got) == 2)


def _reminders(world: World) -> Arrival:
    """Reminders, later."""
    got = {mail.recipient: mail.at for mail in world.mails if "finish your profile" in mail.subject}
    asked = {sent.job_id: sent.at for sent in reversed(world.sent)}
    waited = [at - asked[f"reminder-{address}"] for address, at in got.items()]
    jobs = [world.job("email", f"reminder-{address}") for address in PEOPLE.values()]
    ok = got.keys() == set(PEOPLE.values()) and min(waited) >= world.reminder_delay and world.completed(*jobs)
    return Arrival("Delayed reminders", "mail server", f"{len(got)} mails, after {min(waited):.1f} s", ok)


def _cleanup(world: World) -> Arrival:
    """Cleanup of ended sessions."""
    job = world.job("cleanup")
    deleted = job.returnvalue["deleted"] if job else 0
    ok = world.completed(job) and deleted == ENDED and world.sessions_left == LIVE
    return Arrival(
        "Cleanup of ended sessions", "SQLite", f"{deleted} deleted, {world.sessions_left} left", ok
    )


def _photo(world: World) -> Arrival:
    """A photo, smaller."""
    job = world.job("photo")
    assert job is not None, "there is no such job"
    with Image.open(Path(job.returnvalue["path"])) as picture:
        picture.load()
        size = picture.size
    found = f"{size[0]} × {size[1]} {picture.format}, by process {job.returnvalue['process']}"
    return Arrival("A photo made smaller", "disk", found, world.completed(job) and size[0] == WIDTH)


def _unlucky_order(world: World) -> Arrival:
    """An order, at the third attempt."""
    job = world.job("partner", f"order-{UNLUCKY_ORDER}")
    answers = [call.status for call in world.calls if call.order == UNLUCKY_ORDER]
    ok = world.completed(job) and answers == [503, 503, 200] and job is not None and job.attempts_made == 3
    return Arrival("An order, tried until it is taken", "partner", f"answers {_listed(answers)}", ok)


def _refused_order(world: World) -> Arrival:
    """An order that is refused."""
    job = world.job("partner", f"order-{REFUSED_ORDER}")
    answers = [call.status for call in world.calls if call.order == REFUSED_ORDER]
    failed = job is not None and job.state is JobState.FAILED and job.attempts_made == 1
    reason = job.failed_reason if job else None
    return Arrival(
        "An order that is refused for good", "failed jobs", f"{reason}", failed and answers == [410]
    )


def _listed(answers: Sequence[int]) -> str:
    return ", ".join(str(answer) for answer in answers) or "none"


LOOKS: Final = (_welcome, _clicked_twice, _reminders, _cleanup, _photo, _unlucky_order, _refused_order)
