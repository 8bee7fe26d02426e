"""Where `Secret()` is found: wherever Pydantic finds it, whatever the type is made of."""

from __future__ import annotations

import collections.abc
import json
import time
from dataclasses import dataclass, make_dataclass
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypeVar,
    Union,
)

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import (
    AliasChoices,
    AliasPath,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    PlainValidator,
    RootModel,
    SecretBytes,
    SecretStr,
    SkipValidation,
    create_model,
)
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypeAliasType, TypedDict

from corral import InvalidOption, Secret, redacted
from corral.contracts.codec import Codec
from corral.contracts.redaction import restored
from corral.contracts.secret import MASK

named: Any = NewType
alias: Any = TypeAliasType
typed_dict: Any = TypedDict
named_tuple: Any = NamedTuple
"""As functions, for types that are only known at run time."""

S = Annotated[str, Secret()]
T = TypeVar("T")
New: Any = named("New", S)
Named = TypeAliasType("Named", list[S])


def _of(generic: Any, *arguments: Any) -> Any:
    (*first, last) = arguments
    return generic[(*first, last) if first else last]


class Root(RootModel[S]):
    """A model that is its value."""


class Pair(NamedTuple):
    """An array in JSON."""

    a: int
    b: S


class Box(BaseModel, Generic[T]):
    """A generic model."""

    b: T


@dataclass
class DataBox(Generic[T]):
    """A generic dataclass."""

    b: T


class DictBox(TypedDict, Generic[T]):
    """A generic typed dictionary."""

    b: T


class Marks(TypedDict, total=False):
    """Marks inside of what says whether a key is required, and a class as the mark."""

    b: NotRequired[S]
    c: Required[Annotated[str, Secret]]


class Choices(BaseModel):
    """Several names."""

    value: S = Field(validation_alias=AliasChoices("b", "c", AliasPath("d", 1, "e")))


class Deep(BaseModel):
    """A name that leads deeper."""

    value: S = Field(validation_alias=AliasPath("b", "c"))


class Camel(BaseModel):
    """Names that are made."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    a_b: S


@pydantic_dataclass
class Aliased:
    """A dataclass of Pydantic's."""

    b: S = Field(alias="B")


class Extra(BaseModel):
    """A model whose further members are secret."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, S]  # pyright: ignore[reportIncompatibleVariableOverride]
    a: int


class Cat(BaseModel):
    """One of two, told by its kind."""

    kind: Literal["cat"]
    b: S


class Dog(BaseModel):
    """The other one."""

    kind: Literal["dog"]
    b: str


class Whole(BaseModel):
    """A model that is secret in one place, and not in the other."""

    a: Annotated[Dog, Secret()]
    b: Dog


class Once(BaseModel):
    """A model that is secret, and nowhere else."""

    a: Annotated[Cat, Secret()]


DOG = {"kind": "dog", "b": "v"}

CASES: list[tuple[Any, Any, Any]] = [
    (S, "v", MASK),
    (S, ["v"], MASK),
    (S, None, None),
    (Annotated[int, Secret()], 7, MASK),
    (Optional[S], "v", MASK),  # noqa: UP045 - checkers
    (Annotated[S, BeforeValidator(str)], "v", MASK),
    (Annotated[str, Secret(), PlainValidator(str)], "v", MASK),
    (SkipValidation[list[S]], ["v"], [MASK]),
    (Annotated[str, PlainSerializer(str, return_type=S)], "v", MASK),
    (New, "v", MASK),
    (Named, ["v"], [MASK]),
    (Root, "v", MASK),
    (list[Root], ["v"], [MASK]),
    (Pair, [1, "v"], [1, MASK]),
    (Pair, {"a": 1, "b": "v"}, {"a": 1, "b": MASK}),
    (tuple[int, S], [1, "v"], [1, MASK]),
    (tuple[S, ...], ["v", "v"], [MASK, MASK]),
    *((_of(box, S), {"a": "v", "b": "v"}, {"a": "v", "b": MASK}) for box in (Box, DataBox, DictBox)),
    (Marks, {"b": "v", "c": "v"}, {"b": MASK, "c": MASK}),
    (Choices, {"b": "v"}, {"b": MASK}),
    (Choices, {"c": "v"}, {"c": MASK}),
    (Choices, {"d": [1, {"e": "v", "f": 1}]}, {"d": [1, {"e": MASK, "f": 1}]}),
    (Deep, {"b": {"c": "v", "d": "w"}}, {"b": {"c": MASK, "d": "w"}}),
    (Camel, {"aB": "v"}, {"aB": MASK}),
    (Camel, {"a_b": "v"}, {"a_b": MASK}),
    (Aliased, {"B": "v"}, {"B": MASK}),
    (Extra, {"a": 1, "x": "v"}, {"a": 1, "x": MASK}),
    (collections.abc.Iterable[S], ["v"], [MASK]),
    (collections.abc.Set[S], ["v"], [MASK]),
    (collections.abc.Sequence[S], ["v"], [MASK]),
    (collections.deque[S], ["v"], [MASK]),
    (collections.abc.Mapping[str, S], {"x": "v"}, {"x": MASK}),
    (collections.OrderedDict[str, S], {"x": "v"}, {"x": MASK}),
    (dict[S, int], {"v": 1, "w": 2}, {MASK: 1, f"{MASK} 2": 2}),
    (dict[S, int] | Whole, {"v": 1, "b": 2}, {MASK: 1, "b": 2}),
    (dict[str, S] | Dog, {"kind": "x", "b": "v"}, {"kind": MASK, "b": MASK}),
    (list[S] | tuple[int, int], ["v", 1], [MASK, MASK]),
    (dict[str, S] | Whole, {"v": "v"}, {"v": MASK}),
    (Annotated[Cat | Dog, Field(discriminator="kind")], {"kind": "cat", "b": "v"}, {"kind": "cat", "b": MASK}),
    (Annotated[Dog, Secret()], DOG, MASK),
    (Annotated[Annotated[Dog, Secret()] | Cat, Field(discriminator="kind")], DOG, MASK),
    (Whole, {"a": DOG, "b": DOG}, {"a": MASK, "b": DOG}),
    (Once, {"a": DOG}, {"a": MASK}),
    (SecretStr, "v", MASK),
    (dict[str, SecretBytes | None], {"a": "v"}, {"a": MASK}),
    (Json[S], '"v"', MASK),
    (Json[Cat], '{"kind":"cat","b":"v"}', MASK),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "value", "shown"), CASES, ids=lambda part: str(part)[:40])
def test_where_it_is_found(type_: Any, value: Any, shown: Any) -> None:
    """New types, generics, aliases, named tuples, containers, keys, unions, Pydantic's own secrets: what is marked is
    masked, and what stands beside it is not."""
    assert redacted(value, type_) == shown
    assert redacted([value], list[type_]) == [shown]


def test_text_of_another_shape() -> None:
    """A text where the type has an object with a secret may be the JSON of that object, and is not shown, unless the
    type takes texts there, too."""
    text = json.dumps({"kind": "cat", "b": "v"})
    assert redacted(text, Cat) == MASK
    assert redacted([text, 1], list[Cat | None]) == [MASK, 1]
    assert redacted(text, Cat | str) == text
    assert redacted(text, Dog) == text


def test_a_mark_changes_nothing_else() -> None:
    """Values are read and written as without it, in discriminated unions and with constraints, too."""
    for type_, value in (
        (Annotated[Annotated[Dog, Secret()] | Cat, Field(discriminator="kind")], DOG),
        (Annotated[str, Secret(), Field(min_length=1)], "v"),
        (Whole, {"a": DOG, "b": DOG}),
    ):
        codec = Codec.of(type_)
        assert json.loads(codec.encode(codec.decode(json.dumps(value)))) == value
    assert Codec.of(Whole).adapter.json_schema()["properties"]["a"]["$ref"] == "#/$defs/Dog"
    assert Codec.of(S).adapter.json_schema() == {"type": "string"}


def test_a_type_that_pydantic_does_not_know() -> None:
    """The error says which type, and why; a type that cannot be hashed is none the worse for it."""
    with pytest.raises(InvalidOption, match=r"type_=.*has no JSON form"):
        redacted(1, object())

    def local() -> Any:
        return dataclass(type("Local", (), {"__annotations__": {"x": "Missing"}}))

    with pytest.raises(InvalidOption, match="cannot be resolved"):
        redacted({"x": 1}, local())
    assert redacted({"a": "v"}, dict[str, Annotated[S, Field(json_schema_extra={"a": 1})]]) == {"a": MASK}
    assert redacted({"a": "v"}, dict[str, Annotated[S, ["no", "hash"]]]) == {"a": MASK}


class Left(BaseModel):
    """Leads to both."""

    n: Left | Right | None = None
    b: S = ""


class Right(BaseModel):
    """Leads to both."""

    n: Left | Right | None = None
    many: list[Left | Right] = []


def test_types_that_lead_to_each_other() -> None:
    """However deep, and in however many ways a value may be read."""
    value: Any = {"n": None, "b": "v"}
    for _ in range(150):
        value = {"n": value, "many": []}
    wide = {"many": [{"b": "v", "n": {"b": "v"}}] * 20_000}
    began = time.process_time()
    assert '"v"' not in json.dumps(redacted(value, Left | Right))
    assert '"v"' not in json.dumps(redacted(wide, Left | Right))
    assert time.process_time() - began < 5


# --- the law --------------------------------------------------------------------------------------------

HIDDEN = "s3cr3t"
Case = tuple[Any, Any]
"""A type and a JSON value of it."""

OPEN: st.SearchStrategy[Case] = st.sampled_from([(str, "x"), (int, 1), (bool, True), (Any, {"y": [1, "z"]})])
MARKED: st.SearchStrategy[Case] = st.sampled_from(
    [(S, HIDDEN), (New, HIDDEN), (Root, HIDDEN), (SecretStr, HIDDEN), (Annotated[Any, Secret()], [{HIDDEN: HIDDEN}])]
)  # fmt: skip


def _record(made: Any, one: Case, other: Case) -> Case:
    return made, {"p": one[1], "q": other[1]}


WRAPS: tuple[Any, ...] = (
    lambda one, other: (_of(list, one[0]), [one[1], one[1]]),
    lambda one, other: (_of(collections.abc.Sequence, one[0]), [one[1]]),
    lambda one, other: (_of(tuple, one[0], other[0]), [one[1], other[1]]),
    lambda one, other: (_of(dict, str, one[0]), {"k": one[1]}),
    lambda one, other: (_of(Optional, one[0]), one[1]),
    lambda one, other: _record(create_model("Made", p=(one[0], ...), q=(other[0], ...)), one, other),
    lambda one, other: (create_model("Made", p=(one[0], Field(alias="a"))), {"a": one[1]}),
    lambda one, other: _record(make_dataclass("Made", [("p", one[0]), ("q", other[0])]), one, other),
    lambda one, other: _record(typed_dict("Made", {"p": one[0], "q": other[0]}), one, other),
    lambda one, other: (named_tuple("Made", [("p", one[0]), ("q", other[0])]), [one[1], other[1]]),
    lambda one, other: (_of(RootModel, one[0]), one[1]),
    lambda one, other: (_of(Box, one[0]), {"b": one[1]}),
    lambda one, other: (named("Made", one[0]), one[1]),
    lambda one, other: (alias("Made", one[0]), one[1]),
)
MARKED_WRAPS: tuple[Any, ...] = (
    lambda one, other: (_of(dict, S, one[0]), {HIDDEN: one[1], f"{HIDDEN}2": one[1]}),
    lambda one, other: (_of(Union, one[0], Pair, None), one[1]),
)


def _cases(leaves: st.SearchStrategy[Case], wraps: tuple[Any, ...]) -> st.SearchStrategy[Case]:
    return st.recursive(
        leaves,
        lambda inner: st.builds(lambda wrap, *parts: wrap(*parts), st.sampled_from(wraps), inner, inner),
        max_leaves=6,
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_cases(OPEN | MARKED, WRAPS + MARKED_WRAPS))
def test_no_secret_is_ever_shown(case: Case) -> None:
    """Of whatever a type is made, what is marked in it is not in what is shown; redacting again changes nothing; and
    what was not edited is put back."""
    type_, value = case
    Codec.of(type_).decode(json.dumps(value))  # it is a value of the type
    shown = redacted(value, type_)
    assert HIDDEN not in json.dumps(shown)
    assert redacted(shown, type_) == shown
    assert restored(json.loads(json.dumps(shown)), shown, value) == value
    assert restored({"new": 1, "x": shown}, {"x": shown}, {"x": value}) == {"new": 1, "x": value}


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_cases(OPEN, WRAPS))
def test_nothing_else_is_masked(case: Case) -> None:
    """What is not marked, named or looking like a secret is shown as it is."""
    type_, value = case
    assert redacted(value, type_) == value
