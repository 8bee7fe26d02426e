"""Blocking functions say where they run; what cannot run there is refused when it is written."""

from __future__ import annotations

import asyncio
import functools
import pickle
from typing import Any

import pytest

from corral.contracts.isolation import InProcess, InThread, check_importable, handler_name
from corral.errors import InvalidTask, UnpicklableHandler
from tests.contracts.models import Receipt, Reset


def send(reset: Reset) -> Receipt:
    """Be a function at the top level of a module."""
    return Receipt(str(reset.user_id))


def with_context(reset: Reset, ctx: object) -> Receipt:
    """Take a context."""
    return Receipt(str(ctx))


async def awaiting(reset: Reset) -> Receipt:
    """Be no blocking function."""
    return Receipt("")


class Service:
    """Functions that are methods."""

    def __init__(self, resource: object = None) -> None:
        self.resource = resource

    def send(self, reset: Reset) -> Receipt:
        """Be a method."""
        return Receipt("")


@pytest.mark.parametrize("wrapper", [InThread, InProcess])
def test_a_wrapped_function_can_be_called(wrapper: Any) -> None:
    """A unit test calls it as it stands."""
    wrapped = wrapper(send)
    assert wrapped(Reset(5)) == Receipt("5")
    assert (wrapped.__name__, wrapped.__doc__, wrapped.function) == ("send", send.__doc__, send)


def test_a_thread_may_have_the_context() -> None:
    """The second argument goes through."""
    context: Any = "context"
    assert InThread(with_context)(Reset(5), context) == Receipt("context")


@pytest.mark.parametrize("wrapper", [InThread, InProcess])
@pytest.mark.parametrize(
    ("function", "why"),
    [
        (awaiting, "without In"),
        (InThread(send), "says already"),
        ("send", "takes a function"),
        (None, "takes a function"),
    ],
    ids=["async", "wrapped", "text", "None"],
)
def test_only_plain_functions_are_wrapped(wrapper: Any, function: Any, why: str) -> None:
    """An async def, a wrapped handler and things that are no function are refused with the reason."""
    with pytest.raises(InvalidTask, match=why):
        wrapper(function)


@pytest.mark.parametrize(
    "function",
    [lambda reset: Receipt(""), Service(resource=asyncio.Lock).send, functools.partial(send)],
    ids=["lambda", "method", "partial"],
)
def test_what_pickles_may_run_in_a_process(function: Any) -> None:
    """Methods of objects that pickle and partials do, a lambda does not."""
    if handler_name(function).endswith("<lambda>"):
        with pytest.raises(UnpicklableHandler, match="top level"):
            InProcess(function)
    else:
        assert pickle.loads(pickle.dumps(InProcess(function).function))


def test_a_nested_function_cannot_run_in_a_process() -> None:
    """Another process finds functions by their names only."""

    def nested(reset: Reset) -> Receipt:
        return Receipt("")

    with pytest.raises(UnpicklableHandler) as caught:
        InProcess(nested)
    assert caught.value.handler.endswith("nested")
    with pytest.raises(UnpicklableHandler):
        check_importable(nested)


def test_an_object_that_refuses_to_pickle() -> None:
    """Whatever its pickling raises becomes UnpicklableHandler."""
    with pytest.raises(UnpicklableHandler, match="pickle"):
        InProcess(Service(resource=iter(lambda: 1, 2)).send)


def test_handlers_have_names() -> None:
    """Functions by module and name, partials by their function, objects by their class."""
    assert handler_name(send) == "tests.contracts.test_isolation.send"
    assert handler_name(functools.partial(send)) == handler_name(send)
    assert handler_name(Service().send).endswith("Service.send")
