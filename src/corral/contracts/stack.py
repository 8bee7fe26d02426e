"""An exception as text for a job's record: bounded, encodable, whatever the exception does."""

from __future__ import annotations

import traceback

__all__ = ["MAX_REASON", "MAX_STACK", "failure_reason", "stack_text"]

MAX_REASON = 4 * 1024
"""The longest failure reason, in characters."""
MAX_STACK = 16 * 1024
"""The longest traceback, in characters."""


def failure_reason(error: BaseException) -> str:
    """BullMQ's ``failedReason``: the message, or the type's name when there is none."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001 - any exception's __str__ may be broken, and the job must be settled
        message = ""
    return _bounded(message.strip() or type(error).__name__, MAX_REASON)


def stack_text(error: BaseException) -> str:
    """The traceback with causes, contexts, notes and the parts of a group, as one text."""
    try:
        text = "".join(traceback.format_exception(error))
    except Exception:  # noqa: BLE001 - as above
        text = f"{type(error).__name__}: (its traceback cannot be formatted)"
    return _bounded(text.rstrip(), MAX_STACK)


def _bounded(text: str, limit: int) -> str:
    # A lone surrogate cannot be stored as UTF-8.
    text = text.encode(errors="backslashreplace").decode()
    if len(text) <= limit:
        return text
    # The end names the error and the place; the beginning says who called.
    head = limit // 4
    mark = f"\n… {len(text) - limit:,} characters left out …\n"
    return text[:head] + mark + text[len(text) - (limit - head - len(mark)) :]
