"""The demo's checks believe nobody: take anything away, and it is missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from corral import Job, JobState
from corral.demo.checks import ENDED, LIVE, World, arrivals
from corral.demo.receivers import Call, Mail
from corral.demo.story import PEOPLE, WIDTH, Sent


def job(
    queue: str, job_id: str, state: JobState = JobState.COMPLETED, made: int = 1, result: object = None
) -> Job:
    """A job that has ended."""
    return Job(id=job_id, queue=queue, name="x", data={}, state=state, attempts_made=made, returnvalue=result)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A world in which everything arrived."""
    picture = tmp_path / "small.jpg"
    Image.new("RGB", (WIDTH, 200)).save(picture)
    sent = [
        Sent("", "email", f"{kind}-{email}", created=True, at=100.0)
        for email in PEOPLE.values()
        for kind in ("welcome", "reminder")
    ]
    sent += [
        Sent("", "email", f"{kind}-{PEOPLE['Ada']}", created=False, at=101.0)
        for kind in ("welcome", "reminder")
    ]
    jobs = [job("email", each.job_id) for each in sent]
    jobs += [
        job("photo", "p", result={"path": str(picture), "process": 7}),
        job("cleanup", "c", result={"deleted": ENDED, "kept": LIVE}),
        job("partner", "order-1001", made=3),
        job("partner", "order-1002", JobState.FAILED),
    ]
    mails = [Mail(100.1, email, f"Welcome, {name}") for name, email in PEOPLE.items()]
    mails += [Mail(103.1, email, f"{name}, finish your profile") for name, email in PEOPLE.items()]
    calls = [Call(100, "/orders", "1001", status) for status in (503, 503, 200)]
    calls.append(Call(100, "/retired", "1002", 410))
    return World(sent, {(each.queue, each.id): each for each in jobs}, mails, calls, LIVE, 3.0)


def test_all_of_it(world: World) -> None:
    """Where everything arrived, all is well."""
    assert [arrival.what for arrival in arrivals(world) if not arrival.ok] == []


def without(world: World, queue: str, job_id: str) -> World:
    """The world without one job."""
    return replace(world, jobs={key: job for key, job in world.jobs.items() if key != (queue, job_id)})


@pytest.mark.parametrize(
    ("take", "missed"),
    [
        (lambda w: replace(w, mails=w.mails[1:]), {"Welcome mails", "The same request, twice"}),
        (lambda w: replace(w, mails=[*w.mails, w.mails[0]]), {"Welcome mails", "The same request, twice"}),
        (lambda w: replace(w, mails=w.mails[:-1]), {"Delayed reminders"}),
        (lambda w: replace(w, mails=w.mails[:3]), {"The same request, twice", "Reminders, later"}),
        (lambda w: replace(w, reminder_delay=3.5), {"Delayed reminders"}),
        (lambda w: replace(w, sent=w.sent[:-1]), {"The same request, twice"}),
        (lambda w: replace(w, sessions_left=LIVE + 1), {"Cleanup of ended sessions"}),
        (lambda w: replace(w, calls=w.calls[1:]), {"An order, tried until it is taken"}),
        (lambda w: replace(w, calls=[*w.calls, w.calls[-1]]), {"An order that is refused for good"}),
        (lambda w: without(w, "email", "welcome-ada@example.com"), {"Welcome mails"}),
        (lambda w: without(w, "photo", "p"), {"A photo, smaller"}),
        (lambda w: without(w, "cleanup", "c"), {"Cleanup of ended sessions"}),
        (lambda w: without(w, "partner", "order-1001"), {"An order, tried until it is taken"}),
        (lambda w: without(w, "partner", "order-1002"), {"An order that is refused for good"}),
    ],
)
def test_anything_less(world: World, take: Callable[[World], World], missed: set[str]) -> None:
    """A mail too few or too many, a row too many, a call, a job: each is missed where it belongs, and nowhere else."""
    assert {arrival.what for arrival in arrivals(take(world)) if not arrival.ok} == missed


def test_a_picture_that_is_none(world: World) -> None:
    """A job that says it wrote a picture is not believed: the file is opened."""
    Path(world.jobs["photo", "p"].returnvalue["path"]).write_bytes(b"no picture")
    (missed,) = [arrival for arrival in arrivals(world) if not arrival.ok]
    assert "UnidentifiedImageError" in missed.found


def test_an_empty_world() -> None:
    """Where nothing happened, nothing arrived."""
    assert not any(arrival.ok for arrival in arrivals(World([], {}, [], [], 0, 3.0)))
