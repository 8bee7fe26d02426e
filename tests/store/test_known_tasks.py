"""The tasks that cron jobs may be for."""

from __future__ import annotations

from corral.store.known_tasks import KnownTasks
from tests.store.tasks import MailTasks, other_queue


async def digest(payload: object) -> None:
    """Does nothing."""


async def purge(payload: None) -> int:
    """Does nothing."""
    return 0


def test_sources_of_every_kind() -> None:
    """A task set as a class or with its handlers, and a queue: each says its tasks."""
    for source in (MailTasks, MailTasks(digest=digest, purge=purge)):
        tasks = KnownTasks(source)
        assert (tasks.queues, tasks.names("mail")) == (frozenset({"mail"}), ["mail.digest", "mail.purge"])
        assert tasks.get("mail", "mail.digest") is MailTasks.digest.spec
    assert KnownTasks(other_queue()).names("other") == ["mail.purge", "other.count"]


def test_a_name_may_be_in_several_queues() -> None:
    """`queues_with` lists them."""
    tasks = KnownTasks(MailTasks, other_queue())
    assert tasks.queues_with("mail.purge") == ["mail", "other"]
    assert tasks.queues_with("nothing") == []
    assert tasks.get("other", "mail.digest") is None


def test_what_a_queue_is_known_not_to_have() -> None:
    """Only of queues that a source has it can be said that there is no such task."""
    tasks = KnownTasks(MailTasks)
    assert tasks.excludes("mail", "nothing")
    assert not tasks.excludes("mail", "mail.purge")
    assert not tasks.excludes("elsewhere", "nothing")
