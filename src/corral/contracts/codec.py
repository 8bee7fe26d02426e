"""Values to strict JSON and back, through one Pydantic `TypeAdapter` per task.

Encoding validates twice: the value before it is written, and the text after, because the fields of a dataclass are
checked by nobody when it is made, and because what is stored must be readable on the other side. NaN and Infinity
are refused, which Pydantic would write as null.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Literal, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic_core import PydanticSerializationError

from corral.contracts.field_problems import field_problems
from corral.contracts.shape import key_count, may_hold_non_finite
from corral.contracts.strict_json import check_constants, has_repeated_keys, non_finite_paths
from corral.contracts.veil import Veil
from corral.errors import FieldProblem, InvalidPayload, InvalidResult, InvalidTask

__all__ = ["JSON_CODEC", "Codec", "TypeNotReady"]

T = TypeVar("T")

ABSENT = b"{}"
"""What BullMQ stores for a job without data."""


class TypeNotReady(Exception):
    """The type refers to a name that does not exist yet."""


class Codec(Generic[T]):
    """Encodes and decodes the values of one type.

    ``resolve`` gives the type: it is called when the codec is first used, or by `build`, and raises `TypeNotReady`
    as long as a name in it is missing. ``task`` and ``role`` say what errors are about.
    """

    __slots__ = (
        "_adapter",
        "_check_finite",
        "_keys",
        "_resolve",
        "_to_json",
        "_validate_json",
        "_validate_python",
        "_veil",
        "absent",
        "role",
        "task",
    )  # fmt: skip

    _adapter: TypeAdapter[T]
    _check_finite: bool
    _keys: int | None
    _veil: Veil

    def __init__(
        self, resolve: Callable[[], Any], *, task: str = "", role: Literal["payload", "result"] = "payload"
    ) -> None:
        self.task = task
        self.role = role
        self.absent = False
        """Whether the payload is None, which BullMQ has as an empty object."""
        self._resolve: Callable[[], Any] | None = resolve
        self._validate_python: Callable[[Any], Any] = self._build_and_validate_python
        self._validate_json: Callable[[Any], Any] = self._build_and_validate_json
        self._to_json: Callable[..., bytes] = lambda *_, **__: b""

    @classmethod
    def of(cls, type_: Any, *, task: str = "", role: Literal["payload", "result"] = "payload") -> Codec[Any]:
        """The codec of a type that is complete. Raises `InvalidTask` when Pydantic knows no JSON for it."""
        codec: Codec[Any] = cls(lambda: type_, task=task, role=role)
        codec.build()
        return codec

    @property
    def adapter(self) -> TypeAdapter[T]:
        """Pydantic's adapter, for instance to make a JSON Schema."""
        self.build()
        return self._adapter

    @property
    def veil(self) -> Veil:
        """Where secrets stand in its values. Raises as `build` does."""
        self.build()
        return self._veil

    def build(self) -> None:
        """Make the adapter now. Raises `TypeNotReady`, or `InvalidTask` when there is no JSON for the type."""
        if self._resolve is None:
            return
        type_ = self._resolve()
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(type_)
            adapter.rebuild(raise_errors=True)
        except PydanticUndefinedAnnotation as error:
            raise TypeNotReady(str(error)) from error
        except PydanticUserError as error:
            if error.code in {"class-not-fully-defined", "undefined-annotation"}:
                raise TypeNotReady(str(error)) from error
            raise InvalidTask(
                self.task, f"its {self.role} type {_name(type_)} has no JSON form: {error.message}"
            ) from error
        self._adapter = adapter
        self._veil = Veil.of(adapter.core_schema)
        self._check_finite = may_hold_non_finite(adapter.core_schema)
        self._keys = key_count(adapter.core_schema)
        self._validate_python = adapter.validator.validate_python
        self._validate_json = adapter.validator.validate_json
        self._to_json = adapter.serializer.to_json
        self.absent = self.role == "payload" and type_ in (None, type(None))
        self._resolve = None

    def encode(self, value: T) -> bytes:
        """The JSON of ``value``. Raises `InvalidPayload`, or `InvalidResult` for the codec of a result."""
        try:
            value = self._validate_python(value)
            text = (
                ABSENT
                if self.absent
                else self._to_json(value, by_alias=True, round_trip=True, warnings=False)
            )
            if not self.absent:
                self._validate_json(text)
        except (ValidationError, PydanticSerializationError) as error:
            self._refuse_non_finite(value)
            self._refuse(field_problems(error, self._veil))
        # A NaN has become null or a bare NaN: without either word in the text there is none.
        if self._check_finite and (b"null" in text or b"NaN" in text or b"Infinity" in text):
            self._refuse_non_finite(value)
        return text

    def decode(self, text: bytes | str) -> T:
        """The value of a stored JSON ``text``. Raises `InvalidPayload` or `InvalidResult`, with the field paths."""
        if isinstance(text, str):
            text = text.encode(errors="surrogatepass")
        try:
            value: T = self._validate_json(b"null" if self.absent and text == ABSENT else text)
            if b"NaN" in text or b"Infinity" in text:
                check_constants(text)
        except ValidationError as error:
            self._refuse(field_problems(error, self._veil))
        except ValueError as error:
            self._refuse([FieldProblem("", f"not strict JSON: {error}")])
        # As many colons as there are required keys: there is no room for a repeated one.
        if text.count(b":") != self._keys and has_repeated_keys(text):
            self._refuse([FieldProblem("", "not strict JSON: a key appears twice in one object")])
        return value

    def _ready(self) -> None:
        try:
            self.build()
        except TypeNotReady as error:
            raise InvalidTask(
                self.task,
                f"its {self.role} type cannot be resolved: {error}. Import the names of the annotation at run time "
                "(not under TYPE_CHECKING), and define them before the first job",
            ) from error

    def _build_and_validate_python(self, value: Any) -> Any:
        self._ready()
        return self._validate_python(value)

    def _build_and_validate_json(self, text: Any) -> Any:
        self._ready()
        return self._validate_json(b"null" if self.absent and text == ABSENT else text)

    def _refuse_non_finite(self, value: Any) -> None:
        try:
            paths = non_finite_paths(self._adapter.dump_python(value, warnings=False))
        except (PydanticSerializationError, RecursionError):
            return
        if paths:
            self._refuse([FieldProblem(path, "NaN and Infinity are not JSON") for path in paths])

    def _refuse(self, problems: Sequence[FieldProblem]) -> NoReturn:
        # From None: Pydantic's errors have values in their texts, which would stand in tracebacks.
        if self.role == "result":
            raise InvalidResult(self.task, "; ".join(map(str, problems))) from None
        raise InvalidPayload(self.task, problems) from None


def _name(type_: Any) -> str:
    return getattr(type_, "__name__", None) or repr(type_)


JSON_CODEC: Codec[Any] = Codec(lambda: Any)
"""The codec for what has no declared type: any value that Pydantic can write as JSON, read back as plain JSON."""
