"""Which job is running here: set once per job, read when something is logged."""

from __future__ import annotations

from contextvars import ContextVar, Token
from typing import TypeAlias

Scope: TypeAlias = tuple[str, str, int]
"""Task name, job id, attempt. A plain tuple, because one is made for every job."""

_running: ContextVar[Scope | None] = ContextVar("corral_running_job", default=None)


def enter_job(name: str, job_id: str, attempt: int) -> Token[Scope | None]:
    """Say that this context (an asyncio task, a copied context in a thread) runs this job from now on."""
    return _running.set((name, job_id, attempt))


def leave_job(token: Token[Scope | None]) -> None:
    """Undo `enter_job`. Needless where the context ends with the job, as that of a task does."""
    _running.reset(token)


def running_job() -> Scope | None:
    """The job of this context, or None outside of any."""
    return _running.get()


def scope_text(name: str, job_id: str) -> str:
    """`[worker][<task>:<jobId>]`."""
    return f"[worker][{name}:{job_id}]"


def job_fields() -> dict[str, object]:
    """The fields that each line logged in a job carries; empty outside of one."""
    scope = _running.get()
    if scope is None:
        return {}
    name, job_id, attempt = scope
    return {"scope": scope_text(name, job_id), "jobName": name, "jobId": job_id, "attempt": attempt}
