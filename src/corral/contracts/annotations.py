"""Reading annotations that may be text, name a model of the enclosing function, or one defined further down.

What cannot be resolved yet raises `TypeNotReady`, and is tried again when it is needed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from corral.contracts.codec import TypeNotReady
from corral.errors import InvalidTask

__all__ = ["calling_namespace", "evaluate", "raw_annotations"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def calling_namespace(depth: int) -> Mapping[str, Any]:
    """The local names ``depth`` frames above the caller, for models defined in a function. Empty at module level."""
    frame = sys._getframe(depth + 1)  # pyright: ignore[reportPrivateUsage]
    return _NOTHING if frame.f_locals is frame.f_globals else dict(frame.f_locals)


def raw_annotations(obj: Any) -> Mapping[str, Any]:
    """The annotations of a class or a function, unevaluated where they are text or cannot be evaluated yet."""
    if sys.version_info >= (3, 14):
        import annotationlib

        return annotationlib.get_annotations(obj, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(obj)


def evaluate(
    annotation: Any, label: str, names: Mapping[str, Any], local: Mapping[str, Any] = _NOTHING
) -> Any:
    """An annotation, or the text of one, as a type. Raises `TypeNotReady`, or `InvalidTask` for nonsense."""
    text = getattr(annotation, "__forward_arg__", annotation)
    if not isinstance(text, str):
        return annotation
    try:
        return eval(text, dict(names), local)  # noqa: S307 - the program's own source text
    except NameError as error:
        raise TypeNotReady(str(error)) from error
    except Exception as error:
        raise InvalidTask(label, f"its annotation {text!r} cannot be read: {error}") from error
