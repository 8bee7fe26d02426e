"""The demo's checks believe nobody: take anything away, and it is missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from corral import Job, JobState
from corral.store.audit_log import AuditEntry
from examples.reference.demo.checks import HOOKS, World, arrivals
from examples.reference.demo.stage import ENDED, LIVE
from examples.reference.demo.story import ALAN, PEOPLE, RENAMED, Sent
from outside.mail import Mail
from outside.partner import Call


def sent(title: str, id: str, job: str) -> Sent:
    """A request that brought one job about."""
    return Sent(title, id, [("q", job)])


def job(job_id: str, state: JobState = JobState.COMPLETED, result: object = None) -> Job:
    """A job that has ended."""
    return Job(id=job_id, queue="q", name="x", data={}, state=state, attempts_made=1, returnvalue=result)


def mail(recipient: str, subject: str, at: float = 100.0, message_id: str = "") -> Mail:
    """A mail that arrived."""
    return Mail(at, recipient, subject, message_id, "")


def entry(action: str) -> AuditEntry:
    """An entry of the audit log."""
    now = datetime(2026, 5, 4, tzinfo=UTC)
    return AuditEntry(
        at=now,
        org="shop",
        actor="ada",
        actor_type="user",
        action=action,
        resource_type="",
        resource_id="",
        detail={},
    )


@pytest.fixture
def world() -> World:
    """A world in which everything arrived."""
    ada = PEOPLE["Ada"]
    return World(
        sent=[
            sent("Ada invites Alan", "i", "invite"),
            sent("Ada clicks twice", "i", "invite"),
            sent("An order, on a bad day of the bank", "1", "fulfil-1"),
            *(sent("Ada changes the note", "1", f"index-{number}") for number in range(RENAMED)),
            sent("An order that is too expensive", "2", "fulfil-2"),
            sent("An order of more than there is", "3", "fulfil-3"),
            sent("An operator has sessions cleaned up", "expired-sessions", "cleanup"),
        ],
        jobs={
            ("q", each.id): each
            for each in [
                *(job(f"index-{number}", JobState.FAILED) for number in range(RENAMED - 1)),
                job(f"index-{RENAMED - 1}"),
                job("cleanup", result={"count": ENDED}),
            ]
        },
        mails=[
            *(mail(email, f"Welcome to Shop, {name}") for name, email in PEOPLE.items()),
            *(mail(ALAN, "Ada invites you", message_id=str(number)) for number in range(2)),
            *(mail(ada, f"Your order is {state}") for state in ("shipped", "refused", "refused")),
            mail(ada, "How is your anvil?", at=103.0),
        ],
        calls=[
            *(Call(100, "charge", "1", status) for status in (503, 503, 200)),
            Call(100, "charge", "2", 402),
            *(Call(100, "hook", "1", 200) for _ in range(HOOKS)),
        ],
        charges={"1": 9800},
        orders={
            "1": ("shipped", None),
            "2": ("refused", "the payment was refused"),
            "3": ("refused", "there are no 5 of rope left"),
        },
        stock={"anvil": 98, "rope": 3},
        sessions_left=LIVE + 1,
        found=["1"],
        audit=[entry(action) for action in ["user.sign-up"] * 2 + ["order.place"] * 3],
    )


def test_all_of_it(world: World) -> None:
    """Where everything arrived, all is well."""
    assert [arrival.what for arrival in arrivals(world) if not arrival.ok] == []


def without_job(world: World, job_id: str) -> World:
    """The world without one job."""
    return replace(world, jobs={key: job for key, job in world.jobs.items() if key != ("q", job_id)})


def without_mail(world: World, subject: str) -> World:
    """The world without the first mail of this subject."""
    gone = next(each for each in world.mails if subject in each.subject)
    return replace(world, mails=[each for each in world.mails if each is not gone])


@pytest.mark.parametrize(
    ("take", "missed"),
    [
        (lambda w: without_mail(w, "Welcome"), {"Welcome mails"}),
        (lambda w: replace(w, mails=[*w.mails, w.mails[0]]), {"Welcome mails"}),
        (lambda w: without_mail(w, "invites"), {"Invited, and once more"}),
        (lambda w: replace(w, sent=w.sent[1:]), {"Two invitations of three requests"}),
        (lambda w: without_mail(w, "refused"), {"A mail about each order"}),
        (lambda w: without_mail(w, "How is"), {"The question, later"}),
        (lambda w: replace(w, calls=w.calls[1:]), {"An order, charged until it is taken"}),
        (lambda w: replace(w, charges={}), {"An order, charged until it is taken"}),
        (lambda w: replace(w, calls=[*w.calls, w.calls[3]]), {"An order that is refused for good"}),
        (lambda w: replace(w, calls=w.calls[:-1]), {"Each change of an order"}),
        (lambda w: replace(w, calls=[*w.calls[:-1], Call(1, "hook", "1", 401)]), {"Each change of an order"}),
        (lambda w: replace(w, stock={"anvil": 68, "rope": 3}), {"An order that is refused for good"}),
        (
            lambda w: replace(w, calls=[*w.calls, Call(100, "charge", "3", 200)]),
            {"An order of more than there is"},
        ),
        (lambda w: replace(w, found=[]), {"The search, behind many changes"}),
        (lambda w: without_job(w, "index-1"), {"The newest of many"}),
        (lambda w: without_job(w, "cleanup"), {"Cleanup of ended sessions"}),
        (lambda w: replace(w, sessions_left=LIVE), {"A cron job, by hand"}),
        (lambda w: replace(w, audit=w.audit[1:]), {"Who did what"}),
    ],
)
def test_anything_less(world: World, take: Callable[[World], World], missed: set[str]) -> None:
    """A mail too few or too many, a call, a job, a row: each is missed where it belongs, and nowhere else."""
    assert {arrival.what for arrival in arrivals(take(world)) if not arrival.ok} == missed


def test_an_empty_world() -> None:
    """Where nothing happened, nothing arrived."""
    nothing = World([], {}, [], [], {}, {}, {}, 0, [], [])
    assert not any(arrival.ok for arrival in arrivals(nothing))
