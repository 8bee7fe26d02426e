"""A worker and a database that does not answer: it starts, it works, it ends, and says so once."""

from __future__ import annotations

import asyncio

import pytest
import structlog

from corral import Admin
from corral.errors import DatabaseUnavailable, FieldProblem, InvalidCronJob
from corral.store import follower
from corral.store.cron_jobs import CronJobs
from corral.store.database import Database
from corral.store.follower import Follower
from corral.store.registrar import Registrar
from tests.store.tasks import MailTasks


@pytest.fixture
def registrar(database: Database, admin: Admin) -> Registrar:
    """A registrar of the test's server."""
    return Registrar(CronJobs(database, MailTasks), admin.server)


@pytest.fixture
def database_url(tmp_path: object) -> str:
    """A database that answers is not what these tests are about."""
    return f"sqlite:///{tmp_path}/corral.db"


class Answers:
    """What a database does, one time after the other: fail, hang, or answer."""

    def __init__(self, *answers: Exception | str) -> None:
        self._answers = list(answers)
        self.asked = 0
        self.hangs = asyncio.Event()
        self.given_up = asyncio.Event()

    async def __call__(self) -> None:
        """The next answer; behind the last one, an answer."""
        self.asked += 1
        answer = self._answers.pop(0) if self._answers else "answer"
        if isinstance(answer, Exception):
            raise answer
        if answer == "hang":
            self.hangs.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.given_up.set()


async def test_nobody_waits_for_a_database_that_hangs(
    registrar: Registrar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block begins although the first pass goes on, which is logged, and ends although it still does."""
    monkeypatch.setattr(follower, "PATIENCE", 0.05)
    answers = Answers("hang")
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(20), Follower(registrar, answers, 0.01).following():
            assert answers.hangs.is_set()
            assert not answers.given_up.is_set()
        assert answers.given_up.is_set()
    assert [line["event"] for line in logs] == [
        "Cron jobs are not registered yet: the database takes its time"
    ]


async def test_one_that_hangs_later_keeps_nobody(
    registrar: Registrar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pass in the middle is given up at the end of the worker."""
    monkeypatch.setattr(follower, "PATIENCE", 0.05)
    answers = Answers(DatabaseUnavailable("db", "gone"), "hang")
    async with asyncio.timeout(20), Follower(registrar, answers, 0.01).following():
        await answers.hangs.wait()
    assert answers.given_up.is_set()


async def test_trouble_is_told_once(registrar: Registrar) -> None:
    """However long it lasts; and its end."""
    answers = Answers(*[DatabaseUnavailable("db", "gone")] * 5)
    with structlog.testing.capture_logs() as logs:
        async with asyncio.timeout(20), Follower(registrar, answers, 0.001).following():
            while not any("again" in line["event"] for line in logs):
                await asyncio.sleep(0)
    assert answers.asked == 6
    assert [line["event"] for line in logs] == [
        "Cron jobs cannot be registered",
        "Cron jobs are registered again",
    ]


async def test_what_the_program_declares_wrongly_ends_its_start(registrar: Registrar) -> None:
    """The block does not begin."""
    wrong = InvalidCronJob("nightly", [FieldProblem("pattern", "none")])
    with pytest.raises(InvalidCronJob):
        async with Follower(registrar, Answers(wrong), 0.01).following():
            pytest.fail("it began")
