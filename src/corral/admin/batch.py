"""What became of several jobs that were asked for at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from corral.contracts.names import lookup_job_id
from corral.contracts.states import JobState
from corral.errors import InvalidOption, JobError, JobGone, JobNotInState

__all__ = ["Batch", "several", "state_error"]


def _nothing() -> Mapping[str, JobError]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Batch:
    """The ids of the jobs for which it was done, and for each of the others why it was not."""

    done: tuple[str, ...] = ()
    refused: Mapping[str, JobError] = field(default_factory=_nothing)

    def check_one(self) -> None:
        """Raise why it was not done, of a batch of one job."""
        for error in self.refused.values():
            raise error


def several(job_ids: Iterable[str]) -> list[str]:
    """The ids, each once. Raises `InvalidOption` for one id alone, and `InvalidJobId`."""
    if isinstance(job_ids, str) or not isinstance(job_ids, Iterable):
        raise InvalidOption("job_ids", job_ids, "give several ids: a list")
    found = list(dict.fromkeys(job_ids))
    for job_id in found:
        lookup_job_id(job_id)
    return found


def state_error(job_id: str, verb: str, state: JobState, allowed: Sequence[JobState]) -> JobError:
    """Why a job was refused that is in this state."""
    if state is JobState.UNKNOWN:
        return JobGone(job_id)
    return JobNotInState(job_id, verb, str(state), [str(one) for one in allowed])
