"""What a schema says about its JSON: which checks a type makes needless."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, field_serializer

from corral.contracts.shape import key_count, may_hold_non_finite


class Colour(Enum):
    """An enumeration."""

    RED = "red"


@dataclass
class Flat:
    """Only values that cannot be a NaN."""

    id: int
    at: datetime
    key: UUID
    tags: list[str]
    colour: Colour
    mode: Literal["a", "b"]
    note: str | None


@dataclass
class WithDefault:
    """A field that may be left out."""

    id: int
    note: str = ""


@dataclass
class Nested:
    """An object in an object."""

    flat: Flat


@dataclass
class Tree:
    """A type that contains itself."""

    children: list[Tree]


class OpenModel(BaseModel):
    """A model that takes anything more."""

    model_config = ConfigDict(extra="allow")

    id: int


class Serialized(BaseModel):
    """A model that writes what it likes."""

    id: int

    @field_serializer("id")
    def write(self, value: int) -> float:
        """Write something else."""
        return float("nan")


@pytest.mark.parametrize(
    "type_", [Flat, Nested, Tree, WithDefault, list[int], dict[str, bool], None, str, Flat | None]
)
def test_types_without_floats_are_finite(type_: Any) -> None:
    """Where there is no float there is no NaN, and no search for one."""
    assert not may_hold_non_finite(TypeAdapter(type_).core_schema)


@pytest.mark.parametrize(
    "type_", [float, Any, list[float], dict[str, Any], float | None, OpenModel, Serialized, object]
)
def test_types_with_floats_or_anything_may_not_be(type_: Any) -> None:
    """Floats, open types, open models and serializers of one's own are searched."""
    assert may_hold_non_finite(TypeAdapter(type_).core_schema)


@pytest.mark.parametrize(
    ("type_", "keys"),
    [(int, 0), (list[str], 0), (Flat, 7), (WithDefault, None), (Nested, None), (dict[str, int], None), (Any, None),
     (list[Flat], None), (Flat | None, None)],
)  # fmt: skip
def test_only_a_flat_object_of_required_fields_has_a_number_of_keys(type_: Any, keys: int | None) -> None:
    """As many keys as required fields; unknown for whatever may have more or fewer."""
    assert key_count(TypeAdapter(type_).core_schema) == keys
