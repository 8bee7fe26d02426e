"""From what a handler did to what is stored: the outcome of a run as a settlement."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, NamedTuple

from corral.contracts.backoff import Backoff
from corral.contracts.outcome import (
    Completed,
    Failed,
    HeldOff,
    Outcome,
    Released,
    Retried,
    Snoozed,
    WaitingForChildren,
)
from corral.contracts.retention import KEEP_ALL, Keep
from corral.contracts.spec import TaskSpec
from corral.contracts.wire_options import StoredOptions, decode_options
from corral.engine.record import Settlement, Verb
from corral.worker.run import Run

__all__ = ["NO_POLICY", "Policy", "custom_backoff", "policy_of", "settlement_of"]

MAX_TRACES: Final = 10
_JOB_ID_AT_END: Final = re.compile(rb',"jobId":"[^"\\]*"\}$')
_SINGLETON: Final = re.compile(rb',"singleton":\{"key":"[^"\\]*"(?:,"else":"skip")?\}')
_TRACE_AT_START: Final = re.compile(rb'\{"tm":"(?:[^"\\]|\\.)*",?')
_PARENT_AT_START: Final = re.compile(
    rb'\{(?:"(?:fpof|cpof|idof|rdof)":true,)?"parent":\{"id":"[^"\\]*","queue":"[^"\\]*"\},'
)


class Policy(NamedTuple):
    """What a job's stored options mean to a worker, worked out once for each distinct text."""

    options: StoredOptions
    attempts: int
    timeout: float | None
    keep_completed: tuple[int, int]
    keep_failed: tuple[int, int]
    traces: int


def policy_of(text: bytes | None) -> Policy:
    """Read stored options. Raises `InvalidOption` (a `ValueError`) when they cannot be read."""
    if text is not None and text.endswith(b'"}'):
        # The id differs from job to job and the rest hardly ever does.
        text = _JOB_ID_AT_END.sub(b"}", text)
    if text is not None and text.startswith(b'{"tm":'):
        text = _TRACE_AT_START.sub(b"{", text)
    if text is not None and b'"singleton":' in text:
        text = _SINGLETON.sub(b"", text)
    if text is not None and (parent := _PARENT_AT_START.match(text)):
        text = b"{" + text[parent.end() :]
    return _policy_of(text or b"{}")


@lru_cache(maxsize=4096)
def _policy_of(text: bytes) -> Policy:
    options = decode_options(text.decode("utf-8", "surrogateescape"))
    traces = MAX_TRACES if options.stack_trace_limit is None else max(0, options.stack_trace_limit)
    return Policy(
        options,
        options.attempts,
        options.timeout_ms / 1000 if options.timeout_ms else None,
        _kept(options.remove_on_complete),
        _kept(options.remove_on_fail),
        traces,
    )


def _kept(keep: Keep | None) -> tuple[int, int]:
    """Count and age in seconds as the scripts take them, -1 for no limit. A job that says nothing is kept."""
    chosen = KEEP_ALL if keep is None else keep
    count, age = chosen.count, chosen.age_seconds
    return -1 if count is None else count, -1 if age is None else age


def custom_backoff(policy: Policy, spec: TaskSpec[Any, Any] | None) -> Backoff | None:
    """The backoff to follow: the stored one, or the task's own function for a type that is not built in."""
    stored = policy.options.backoff
    if stored is None:
        return None
    return stored.resolve(
        spec.options.backoff if spec is not None and callable(spec.options.backoff) else None
    )


def settlement_of(run: Run, outcome: Outcome, policy: Policy) -> Settlement:
    """The words that store an outcome."""
    wire_id, fence = run.claimed.wire_id, run.claimed.fence
    if isinstance(outcome, Completed):
        count, age = policy.keep_completed
        return Settlement(wire_id, run.token, fence, Verb.COMPLETE, outcome.result_json, "", 0, count, age)
    if isinstance(outcome, Failed):
        count, age = policy.keep_failed
        return Settlement(
            wire_id, run.token, fence, Verb.FAIL, outcome.reason, outcome.stack, policy.attempts, count, age,
            policy.traces, outcome.kind,
        )  # fmt: skip
    if isinstance(outcome, Retried):
        verb, amount = (
            (Verb.DELAY, outcome.delay_ms) if outcome.delay_ms else (Verb.RETRY, int(policy.options.lifo))
        )
        return Settlement(
            wire_id, run.token, fence, verb, outcome.reason, outcome.stack, amount, traces=policy.traces
        )
    if isinstance(outcome, Snoozed):
        verb, amount = (
            (Verb.SNOOZE, outcome.delay_ms) if outcome.due_ms is None else (Verb.SNOOZE_UNTIL, outcome.due_ms)
        )
        return Settlement(wire_id, run.token, fence, verb, "", "", amount)
    if isinstance(outcome, HeldOff):
        return Settlement(wire_id, run.token, fence, Verb.HOLD_OFF, "", "", outcome.wait_ms)
    if isinstance(outcome, WaitingForChildren):
        return Settlement(wire_id, run.token, fence, Verb.WAIT_FOR_CHILDREN, "")
    assert isinstance(outcome, Released)
    return Settlement(wire_id, run.token, fence, Verb.GIVE_BACK, "")


NO_POLICY: Final = Policy(StoredOptions(), 1, None, (-1, -1), (-1, -1), MAX_TRACES)
"""For a job whose options cannot be read."""
