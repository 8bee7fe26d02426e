"""What became of several jobs that were asked for at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from corral.contracts.states import JobState
from corral.errors import JobError, JobGone, JobNotInState

__all__ = ["Batch", "state_error"]


def _nothing() -> Mapping[str, JobError]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Batch:
    """The ids of the jobs for which it was done, and for each of the others why it was not."""

    done: tuple[str, ...] = ()
    refused: Mapping[str, JobError] = field(default_factory=_nothing)


def state_error(job_id: str, verb: str, state: JobState, allowed: Sequence[JobState]) -> JobError:
    """Why a job was refused that is in this state."""
    if state is JobState.UNKNOWN:
        return JobGone(job_id)
    return JobNotInState(job_id, verb, str(state), [str(one) for one in allowed])
