"""What arrived: looked up where it should have arrived, and not in what anybody said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from corral import Job, JobState
from corral.store.audit_log import AuditEntry
from examples.reference.demo.stage import ASK_AFTER, ENDED, LIVE
from examples.reference.demo.story import ALAN, PEOPLE, RENAMED, Sent
from outside.mail import Mail
from outside.partner import Call

__all__ = ["HOOKS", "Arrival", "World", "arrivals"]

HOOKS: Final = 4 + RENAMED + 3 + 2
"""Changes of orders: one goes all the way and has its note changed, one is refused by the bank, one by the stock."""


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
    charges: Mapping[str, int]
    """Cents that the provider took and did not give back, by order."""
    orders: Mapping[str, tuple[str, str | None]]
    """State and refusal, in the database."""
    stock: Mapping[str, int]
    sessions_left: int
    found: Sequence[str]
    """The orders that the search finds by the last note."""
    audit: Sequence[AuditEntry]

    def the(self, title: str) -> Sent:
        """The last request of this title."""
        return [sent for sent in self.sent if sent.title == title][-1]

    def job(self, sent: Sent) -> Job:
        """The job that a request is about."""
        return self.jobs[sent.jobs[0]]

    def about(self, subject: str) -> list[Mail]:
        """The mails whose subject has this text."""
        return [mail for mail in self.mails if subject in mail.subject]


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
    got = sorted(mail.recipient for mail in world.about("Welcome"))
    found = f"{len(got)} mails to {len(set(got))} people"
    return Arrival("Welcome mails", "mail server", found, got == sorted(PEOPLE.values()))


def _invitations(world: World) -> Arrival:
    """Two invitations of three requests."""
    got = [mail.recipient for mail in world.mails if mail.recipient == ALAN]
    once = world.the("Ada invites Alan").jobs == world.the("Ada clicks twice").jobs
    ids = len({mail.message_id for mail in world.mails if mail.recipient == ALAN})
    found = f"{len(got)} mails of 3 requests, one of which was sent twice"
    return Arrival("Invited, and once more", "mail server", found, once and len(got) == ids == 2)


def _order(world: World) -> Arrival:
    """An order, at the third attempt."""
    order = world.the("An order, on a bad day of the bank").id
    answers = [call.status for call in world.calls if (call.what, call.about) == ("charge", order)]
    state, _ = world.orders[order]
    ok = (answers, state, world.charges) == ([503, 503, 200], "shipped", {order: 9800})
    found = f"answers {', '.join(map(str, answers))}; the order is {state}"
    return Arrival("An order, charged until it is taken", "bank, database", found, ok)


def _refused(world: World) -> Arrival:
    """An order that the bank refuses."""
    order = world.the("An order that is too expensive").id
    answers = [call.status for call in world.calls if (call.what, call.about) == ("charge", order)]
    state, refusal = world.orders[order]
    ok = (answers, state, world.stock["anvil"]) == ([402], "refused", 98)
    found = f"{refusal}; {world.stock['anvil']} of 100 anvils left"
    return Arrival("An order that is refused for good", "bank, database", found, ok)


def _sold_out(world: World) -> Arrival:
    """An order of more than there is."""
    order = world.the("An order of more than there is").id
    state, refusal = world.orders[order]
    asked = any(call.what == "charge" and call.about == order for call in world.calls)
    ok = state == "refused" and not asked and world.stock["rope"] == 3
    return Arrival("An order of more than there is", "database", f"{refusal}; nobody was charged", ok)


def _receipts(world: World) -> Arrival:
    """Receipts."""
    subjects = sorted(mail.subject for mail in world.about("Your order"))
    ok = subjects == ["Your order is refused", "Your order is refused", "Your order is shipped"]
    return Arrival("A mail about each order", "mail server", f"{len(subjects)} mails", ok)


def _question(world: World) -> Arrival:
    """The question, later."""
    (asked,), (receipt,) = world.about("How is your anvil"), world.about("is shipped")
    waited = asked.at - receipt.at
    ok = waited >= ASK_AFTER - 0.5  # it was enqueued when the receipt had arrived, and not before
    return Arrival("A question, some time later", "mail server", f"after {waited:.1f} s", ok)


def _search(world: World) -> Arrival:
    """The newest of many."""
    changes = [sent for sent in world.sent if sent.title == "Ada changes the note"]
    skipped = [sent for sent in changes if world.job(sent).state == JobState.FAILED]
    ok = len(changes) == RENAMED and list(world.found) == [changes[-1].id]
    found = f"finds the last; {len(skipped)} of {len(changes)} had no need to run"
    return Arrival("The search, behind many changes", "database", found, ok)


def _webhooks(world: World) -> Arrival:
    """Webhooks."""
    hooks = [call for call in world.calls if call.what == "hook"]
    genuine = {call.status for call in hooks} == {200}
    found = f"{len(hooks)} deliveries about {len({call.about for call in hooks})} orders, all signed by us"
    return Arrival("Each change of an order", "partner", found, genuine and len(hooks) == HOOKS)


def _cleanup(world: World) -> Arrival:
    """Cleanup of ended sessions."""
    job = world.job(world.the("An operator has sessions cleaned up"))
    ours = world.sessions_left - LIVE
    ok = (job.state, job.returnvalue, ours) == (JobState.COMPLETED, {"count": ENDED}, 1)
    found = f"{job.returnvalue['count']} deleted, {world.sessions_left} left"
    return Arrival("A cron job, by hand", "database", found, ok)


def _audit(world: World) -> Arrival:
    """The audit log."""
    actions = sorted(entry.action for entry in world.audit)
    ok = actions == ["order.place"] * 3 + ["user.sign-up"] * 2
    return Arrival("Who did what", "audit log", f"{len(actions)} entries", ok)


LOOKS: Final = (
    _welcome,
    _invitations,
    _order,
    _refused,
    _sold_out,
    _receipts,
    _question,
    _search,
    _webhooks,
    _cleanup,
    _audit,
)
