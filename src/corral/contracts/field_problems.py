"""What Pydantic finds wrong in a value, without the value: secrets must not get into errors, records and logs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from pydantic_core.core_schema import ErrorType

from corral.contracts.secret import MASK, looks_secret
from corral.contracts.veil import Veil
from corral.errors import FieldProblem

__all__ = ["field_problems"]

_KNOWN: Final = frozenset(get_args(ErrorType))
_QUOTING: Final = frozenset({"error", "tag"})
"""Parts of messages that come from validators of the user's, or from the value."""


def field_problems(error: ValidationError | PydanticSerializationError, veil: Veil) -> list[FieldProblem]:
    """The problems that an error tells of, in values of which ``veil`` says where secrets are.

    The user's own validators may quote what they refuse, so their words about a secret, or about what holds one, are
    left out; Pydantic's, like "Field required", are not.
    """
    if isinstance(error, PydanticSerializationError):
        text = str(error)
        return [FieldProblem("", "it cannot be written as JSON" if veil.hides_below else text)]
    details = error.errors(include_url=False, include_input=False)
    return [_problem(detail["loc"], detail, veil) for detail in details]


def _problem(location: Sequence[int | str], detail: Any, veil: Veil) -> FieldProblem:
    # A step may also be the name of a union's arm: then the value is still the one of the step before.
    here, along, path = {veil}, {veil}, ""
    secret = veil.hides_value
    for step in location:
        if isinstance(step, int):
            path += f"[{step}]"
        else:
            shown = MASK if any(one.hides_name(step) for one in along) else step
            path += f".{shown}" if path else shown
            secret = secret or looks_secret(step)
        here = {below for one in here if (below := one.at(step)).is_known} or here
        along = along | {one.at(step) for one in along}
    secret = secret or any(one.hides_value for one in along) or any(one.hides_below for one in here)
    quotes = detail["type"] not in _KNOWN or _QUOTING & detail.get("ctx", {}).keys()
    return FieldProblem(path, f"not valid ({detail['type']})" if secret and quotes else detail["msg"])
