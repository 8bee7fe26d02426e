"""What operators do: a name for each, the role that it takes, and the trace that it leaves. API and pages share it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, Final

from corral.contracts.redaction import redacted
from corral.errors import CorralError
from corral.http.access import Principal, check_role
from corral.http.problem import Problem
from corral.http.refused import Refused
from corral.logs.logger import get_logger
from corral.store.operator_log import DONE, LONGEST_TARGET, OperatorLog
from corral.store.roles import Role
from corral.store.texts import legible

__all__ = ["Action", "Operator"]


class Action(StrEnum):
    """Everything that changes something. The values stand in the operator log."""

    ADD_JOB = "job.add"
    RETRY_JOBS = "job.retry"
    PROMOTE_JOBS = "job.promote"
    CANCEL_JOBS = "job.cancel"
    REMOVE_JOBS = "job.remove"
    EDIT_JOB = "job.edit"
    REPLAY_JOB = "job.replay"
    PAUSE_QUEUE = "queue.pause"
    RESUME_QUEUE = "queue.resume"
    SET_QUEUE = "queue.settings"
    DRAIN_QUEUE = "queue.drain"
    CLEAN_QUEUE = "queue.clean"
    OBLITERATE_QUEUE = "queue.obliterate"
    SET_SCHEDULE = "schedule.upsert"
    REMOVE_SCHEDULE = "schedule.remove"
    CREATE_CRON_JOB = "cronJob.create"
    UPDATE_CRON_JOB = "cronJob.update"
    DELETE_CRON_JOB = "cronJob.delete"
    TRIGGER_CRON_JOB = "cronJob.trigger"
    DRAIN_WORKER = "worker.drain"
    RESUME_WORKER = "worker.resume"
    SET_WORKER = "worker.concurrency"

    @property
    def role(self) -> Role:
        """Who may."""
        return Role.ADMIN if self in ADMINS_ONLY else Role.OPERATOR


ADMINS_ONLY: Final = frozenset(
    {
        Action.ADD_JOB,
        Action.OBLITERATE_QUEUE,
        Action.SET_SCHEDULE,
        Action.REMOVE_SCHEDULE,
        Action.CREATE_CRON_JOB,
        Action.UPDATE_CRON_JOB,
        Action.DELETE_CRON_JOB,
        Action.TRIGGER_CRON_JOB,
    }
)
"""What decides which work there is, or leaves nothing of a queue."""


class Operator:
    """Somebody who acts: whatever is done, or refused, leaves a line in the operator log and in the program's own."""

    def __init__(self, who: Principal, log: OperatorLog | None, refused: Refused) -> None:
        self.who = who
        self._log = log
        self._refused = refused

    async def require(self, action: Action, target: str, **detail: Any) -> None:
        """Raise `Problem` 403 when they may not; that is logged, once an hour for each action (see `Refused`)."""
        try:
            check_role(self.who, action.role)
        except Problem as problem:
            left_out = self._refused.count(self.who.name, action)
            if left_out is not None:
                told = {**detail, "leftOut": left_out} if left_out else detail
                await self._note(action, target, told, problem.kind)
            raise

    @asynccontextmanager
    async def acting(self, action: Action, target: str, **detail: Any) -> AsyncIterator[dict[str, Any]]:
        """Do it inside of this: what is put into the mapping is logged with it, and so is an error, by its kind.

        Raises `Problem` 403 when they may not; then nothing is done, and that is logged too, as by `require`.
        """
        await self.require(action, target, **detail)
        try:
            yield detail
        except BaseException as error:
            await self._note(action, target, detail, getattr(error, "kind", type(error).__name__))
            raise
        await self._note(action, target, detail, DONE)

    async def _note(self, action: Action, target: str, detail: dict[str, Any], outcome: str) -> None:
        who, target, detail = self.who, legible(target, LONGEST_TARGET), redacted(detail)
        get_logger("operators").info(action, actor=who.name, target=target, detail=detail, outcome=outcome)
        if self._log is None:
            return
        try:
            await self._log.write(who.name, action, target, detail, role=who.role, outcome=outcome)
        except CorralError as error:  # it is done, and must not look as if it were to be done again
            get_logger("operators").error(
                "The operator log could not be written", action=action, target=target, err=str(error)
            )
