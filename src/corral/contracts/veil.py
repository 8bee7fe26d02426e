"""Where secrets stand in the JSON of a type.

Pydantic's core schema says so: there all that a type is made of (generics, aliases, new types, forward references) is
resolved as it is when values are read, and `Secret()` has left its mark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from pydantic import SecretBytes, SecretStr

from corral.contracts.schema_parts import Rest, Schema, Step, inner_schemas, parts_of
from corral.contracts.secret import MARK

__all__ = ["NO_VEIL", "Veil"]

_NO_TEXT: Final = frozenset(
    {"none", "bool", "int", "float", "is-instance", "list", "tuple", "set", "frozenset", "dict"}
)
_REPLACING: Final = frozenset({"function-plain", "any"})


class Veil:
    """What is hidden at one place in the values of a type, and what below it.

    Several schemas may stand for the place, as the arms of a union, and what one of them marks is hidden, whichever it
    is that a value follows. There is one veil for one set of schemas, so types that lead to each other cost no more
    than they have such sets, however deep a value is.
    """

    def __init__(self, arms: Sequence[Schema], whole: _Whole) -> None:
        self._arms = arms
        self._whole = whole
        self._below: dict[Step, Veil] = {}

    @staticmethod
    def of(schema: Schema) -> Veil:
        """The veil of a type's values themselves."""
        return _Whole().veil([schema])

    @property
    def is_known(self) -> bool:
        """Whether the type says anything about what stands here."""
        return bool(self._arms)

    @cached_property
    def hides_value(self) -> bool:
        """Whether the value is a secret as a whole."""
        return any(map(_is_marked, self._arms))

    @cached_property
    def hides_below(self) -> bool:
        """Whether there is a secret here or anywhere below."""
        return self._whole.leads_to_secrets(self._arms)

    @cached_property
    def hides_text(self) -> bool:
        """Whether a text here can only be the JSON of something that has secrets, since no arm is for a text."""
        return self.hides_below and not any(map(self._whole.is_for_text, self._arms))

    def hides_name(self, name: str) -> bool:
        """Whether a member of this name has a secret one: it is a key of a dictionary, and no field."""
        return name not in self._declared and self.at(Rest.KEY).hides_value

    def at(self, step: Step) -> Veil:
        """The veil one level down."""
        rest = step if isinstance(step, Rest) else Rest.ITEM if isinstance(step, int) else Rest.VALUE
        known = step if step in self._declared else rest
        if known not in self._below:
            schemas = [inner for parts in self._parts for inner in parts.get(known) or parts.get(rest) or ()]
            self._below[known] = self._whole.veil(schemas)
        return self._below[known]

    @cached_property
    def _parts(self) -> list[dict[Step, list[Schema]]]:
        """What is below, arm by arm."""
        found: list[dict[Step, list[Schema]]] = []
        for arm in self._arms:
            found.append({})
            for step, inner in parts_of(arm):
                found[-1].setdefault(step, []).append(inner)
        return found

    @cached_property
    def _declared(self) -> frozenset[Step]:
        return frozenset(step for parts in self._parts for step in parts)


class _Whole:
    """A type as a whole: what its schemas refer to, and its veils, by the schemas that stand for them."""

    def __init__(self) -> None:
        self._definitions: dict[str, Schema] = {}
        self._veils: dict[frozenset[int], Veil] = {}

    def veil(self, schemas: Iterable[Schema]) -> Veil:
        arms: dict[int, Schema] = {}
        ahead = list(schemas)
        while ahead:
            schema = ahead.pop()
            if id(schema) not in arms:
                arms[id(schema)] = schema
                ahead += () if _has_parts(schema) else self._inner(schema)
        return self._veils.setdefault(frozenset(arms), Veil(tuple(arms.values()), self))

    def leads_to_secrets(self, schemas: Iterable[Schema]) -> bool:
        seen: set[int] = set()
        ahead = list(schemas)
        while ahead:
            schema = ahead.pop()
            if _is_marked(schema):
                return True
            if id(schema) not in seen:
                seen.add(id(schema))
                ahead += self._inner(schema)
        return False

    def is_for_text(self, schema: Schema) -> bool:
        return schema["type"] not in _NO_TEXT and not list(self._inner(schema))

    def _inner(self, schema: Schema) -> Sequence[Schema]:
        if schema["type"] == "definition-ref":
            return [self._definitions[schema["schema_ref"]]]
        if schema["type"] == "definitions":
            self._definitions.update((each["ref"], each) for each in schema["definitions"])
            return [schema["schema"]]
        written = schema.get("serialization", {})
        # A validator that replaces those of its type keeps them beside what it writes.
        beside = written if schema["type"] in _REPLACING else {"returned": written.get("return_schema")}
        return [*inner_schemas(schema), *inner_schemas(beside)]


def _has_parts(schema: Schema) -> bool:
    return next(parts_of(schema), None) is not None


def _is_marked(schema: Schema) -> bool:
    cls = schema.get("cls")
    is_pydantics = isinstance(cls, type) and issubclass(cls, (SecretStr, SecretBytes))
    return is_pydantics or MARK in (schema.get("metadata") or ())


NO_VEIL: Final = _Whole().veil(())
"""That of values of which no type is known."""
