"""The executor: runs one claimed job through its handler, and says what is to be stored."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any, Final

from corral.contracts.binding import Binding
from corral.contracts.codec import Codec
from corral.contracts.failure import FailureKind, cancellation, kind_of_deferred
from corral.contracts.outcome import (
    Completed,
    Failed,
    HandlerSignal,
    Outcome,
    Released,
    Snoozed,
    decide,
    refuse,
)
from corral.engine.record import Settlement
from corral.errors import (
    CorralError,
    FieldProblem,
    InvalidOption,
    InvalidPayload,
    InvalidResult,
    JobFailed,
    UnknownTask,
)
from corral.logs import LifecycleLog, enter_job
from corral.worker.caller import Caller
from corral.worker.deadlines import Deadlines
from corral.worker.registry import QueueHandlers
from corral.worker.run import Cause, Run
from corral.worker.verdict import NO_POLICY, Policy, custom_backoff, policy_of, settlement_of

__all__ = ["Executor"]

PARKED_MS: Final = 5_000
JSON_RESULT: Final[Codec[Any]] = Codec.of(Any, role="result")


class Executor:
    """Runs the jobs of one queue.

    A run goes through the same steps, whatever the job: read its options, find its handler, decode the payload, have
    the handler called, encode the result. Whatever is raised on the way becomes an outcome; nothing
    a job or a handler does reaches the worker itself.
    """

    def __init__(
        self, handlers: QueueHandlers, caller: Caller, *, log: LifecycleLog, deadlines: Deadlines
    ) -> None:
        self._handlers = handlers
        self._caller = caller
        self._log = log
        self._deadlines = deadlines

    async def run(self, run: Run) -> Settlement | None:
        """Run a job to its end. None when its outcome no longer counts, because another worker has the job."""
        policy = NO_POLICY
        try:
            if run.cause is not None:
                raise asyncio.CancelledError
            policy = _policy_of(run)
            outcome: Outcome = Completed(await self._perform(run, policy))
            if run.cause in (Cause.TIMEOUT, Cause.CANCELLED):
                outcome = self.outcome_of(asyncio.CancelledError(), run, policy)
        except BaseException as error:  # noqa: BLE001 - here a job meets the worker
            outcome = self.outcome_of(error, run, policy)
        return None if run.cause is Cause.LOST else settlement_of(run, outcome, policy)

    def abandon(self, run: Run) -> Settlement:
        """The settlement of a run whose handler does not end although it was cancelled."""
        policy = _last_policy_of(run)
        return settlement_of(run, self.outcome_of(asyncio.CancelledError(), run, policy), policy)

    def broken_off(self, run: Run, error: BaseException) -> Settlement:
        """The settlement of a run that ended past all that `run` does: Python closes a coroutine whose awaitable
        raises GeneratorExit, and no handler of exceptions in it can keep it going."""
        run.error = error
        return settlement_of(run, refuse(error), _last_policy_of(run))

    async def _perform(self, run: Run, policy: Policy) -> bytes:
        claimed = run.claimed
        if run.made is None:
            raise _Unusable(InvalidOption("atm", claimed.made, "the count of attempts is not a whole number"))
        attempt = run.made + 1
        if claimed.deferred is not None:
            raise _Deferred(run.job_id, claimed.deferred.decode("utf-8", "replace"), attempt)
        enter_job(run.name, run.job_id, attempt)
        if self._log.info:
            self._log.processing(run.name, run.job_id, attempt)
        binding = self._handlers.bindings.get(claimed.name or b"")
        if binding is None:
            return await self._perform_unknown(run, policy, attempt)
        payload = _decoded(binding, claimed.data)
        # A process is timed by its runner, from the call of the function: starting one may take longer than a job.
        if policy.timeout is None or binding.mode == "process":
            value = await self._caller.call(binding, payload, run, policy, attempt)
        else:
            self._deadlines.set(run, policy.timeout)
            try:
                value = await self._caller.call(binding, payload, run, policy, attempt)
            finally:
                self._deadlines.drop(run)
        return _encoded(binding.spec.result, value)

    async def _perform_unknown(self, run: Run, policy: Policy, attempt: int) -> bytes:
        """A job whose task is not here: for the catch-all handler if there is one."""
        fallback = self._handlers.fallback
        if fallback is None:
            if self._handlers.settings.unknown == "park":
                raise _Parked
            raise UnknownTask(self._handlers.queue, run.name)
        job = run.snapshot(self._handlers.queue)
        if "data" in job.malformed:
            raise _Unusable(InvalidPayload(run.name, [FieldProblem("", job.malformed["data"])]))
        if policy.timeout is not None:
            self._deadlines.set(run, policy.timeout)
        try:
            return _encoded(
                JSON_RESULT, await self._caller.call_fallback(fallback, job, run, policy, attempt)
            )
        finally:
            self._deadlines.drop(run)

    def outcome_of(self, error: BaseException, run: Run, policy: Policy) -> Outcome:
        """What becomes of a run that ended with `error`; a cancellation has the meaning of the run's cause."""
        if run.cause is Cause.SHUTDOWN and not isinstance(
            error, HandlerSignal | _Unusable | _Parked | _Deferred
        ):
            # Whatever a handler raises when it is cancelled came of that, and is not the job's fault.
            return Released()
        if run.cause is Cause.CANCELLED:
            run.error = cancellation(run.job_id, run.reason)
            return Failed(run.reason, "", True, kind_of_deferred(run.reason))
        if isinstance(error, asyncio.CancelledError) and run.cause is Cause.TIMEOUT:
            error = TimeoutError(f"the handler did not return within {policy.timeout or 0:g} s")
        if isinstance(error, _Parked):
            return Snoozed(PARKED_MS)
        run.error = error.error if isinstance(error, _Unusable | _Deferred) else error
        if isinstance(error, _Deferred):
            return Failed(str(error), "", True, error.kind)
        if isinstance(error, _Unusable):
            return refuse(error.error)
        binding = self._handlers.bindings.get(run.claimed.name or b"")
        spec = binding.spec if binding else None
        return decide(
            error,
            attempts_made=run.made or 0,
            attempts=policy.attempts,
            backoff=custom_backoff(policy, spec),
            random=random.random(),
            now_ms=int(time.time() * 1000),
            longest_retry_after_ms=spec.options.longest_retry_after_ms if spec else None,
        )


def _policy_of(run: Run) -> Policy:
    try:
        return policy_of(run.claimed.opts)
    except InvalidOption as error:
        raise _Unusable(error) from error


def _last_policy_of(run: Run) -> Policy:
    """The policy for ending a run, whatever state its options are in."""
    try:
        return policy_of(run.claimed.opts)
    except InvalidOption:
        return NO_POLICY


def _decoded(binding: Binding, data: bytes | None) -> Any:
    if data is None:
        raise _Unusable(InvalidPayload(binding.spec.name, [FieldProblem("", "the job has no data")]))
    try:
        return binding.spec.payload.decode(data)
    except InvalidPayload as error:
        raise _Unusable(error) from error


def _encoded(codec: Codec[Any], value: Any) -> bytes:
    try:
        return codec.encode(value)
    except InvalidResult as error:
        raise _Unusable(error) from error


class _Unusable(Exception):
    """The job itself cannot be read, or its result not be written: another run would not help."""

    def __init__(self, error: CorralError) -> None:
        self.error = error
        super().__init__(str(error))


class _Deferred(Exception):
    """The job carries a failure to deliver instead of running: it stalled too often, for instance, or was cancelled."""

    def __init__(self, job_id: str, reason: str, attempt: int) -> None:
        self.kind = kind_of_deferred(reason)
        is_cancelled = self.kind in (FailureKind.CANCELLED, FailureKind.SUPERSEDED)
        self.error = cancellation(job_id, reason) if is_cancelled else JobFailed(job_id, reason, attempt)
        super().__init__(reason)


class _Parked(Exception):
    """The job is for another worker."""
