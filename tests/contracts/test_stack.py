"""An exception as text: bounded and encodable, whatever the exception does."""

from __future__ import annotations

import pytest

from corral.contracts.stack import MAX_REASON, MAX_STACK, failure_reason, stack_text


class Broken(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def raised(error: BaseException) -> BaseException:
    """Raise and catch an exception, so that it has a traceback."""
    try:
        raise error
    except BaseException as caught:
        return caught


def test_the_reason_is_the_message() -> None:
    """BullMQ's failedReason is the message alone; the type is in the traceback."""
    assert failure_reason(ValueError("no such user")) == "no such user"
    assert "ValueError: no such user" in stack_text(raised(ValueError("no such user")))


def test_an_error_without_message_is_named() -> None:
    """An empty reason would tell nobody anything."""
    assert failure_reason(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert failure_reason(ValueError("  \n")) == "ValueError"


def test_an_error_that_cannot_be_shown() -> None:
    """A broken ``__str__`` does not keep a job from being settled."""
    assert failure_reason(Broken()) == "Broken"
    assert "Broken" in stack_text(raised(Broken()))


def test_text_is_bounded_and_keeps_both_ends() -> None:
    """A huge message is cut in its middle, and says so."""
    error = raised(ValueError("start " + "x" * 1_000_000 + " end"))
    reason, stack = failure_reason(error), stack_text(error)
    assert len(reason) <= MAX_REASON
    assert len(stack) <= MAX_STACK
    assert reason.startswith("start")
    assert stack.startswith("Traceback")
    assert reason.endswith("end")
    assert stack.endswith("end")
    assert "characters left out" in reason


def test_lone_surrogates_become_escapes() -> None:
    """The text can be stored as UTF-8."""
    for text in (failure_reason(ValueError("\ud800")), stack_text(raised(ValueError("\ud800")))):
        assert "\\ud800" in text
        text.encode()


def test_groups_causes_and_notes_are_shown() -> None:
    """All that a group holds, what an error came from, and its notes."""
    inner = ValueError("inner")
    inner.add_note("a note")
    group = ExceptionGroup("several", [inner, OSError("other")])
    group.__cause__ = KeyError("cause")
    text = stack_text(raised(group))
    assert [part for part in ("several", "inner", "a note", "other", "cause") if part not in text] == []


def test_deep_recursion_is_shown_shortly() -> None:
    """A thousand equal frames are not a thousand lines."""

    def recurse() -> None:
        recurse()

    with pytest.raises(RecursionError) as caught:
        recurse()
    text = stack_text(caught.value)
    assert len(text) <= MAX_STACK
    assert "RecursionError" in text
    assert len(text.splitlines()) < 100
