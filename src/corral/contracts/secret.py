"""What nobody should read on a page, in a log or in a trace: marked by a type, or known by its name or its look."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from pydantic import GetCoreSchemaHandler

__all__ = ["MARK", "MASK", "Secret", "looks_secret", "masked_text"]

MASK: Final = "•••"
MARK: Final = "corral_secret"
"""In the metadata of Pydantic's schema of what is a `Secret`."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks a part of a payload or result: ``password: Annotated[str, Secret()]``. It is stored and handed to handlers
    as it is, and shown as `MASK` by the API, the dashboard, logs and traces."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> Any:
        """Leave a mark in Pydantic's schema, which changes nothing in how values are read and written."""
        schema: dict[str, Any] = dict(handler(source))
        if "ref" in schema or schema["type"] in {"definition-ref", "definitions"}:
            # Pydantic may put the definition into the place of its reference, or use it elsewhere too.
            schema = {"type": "lax-or-strict", "lax_schema": schema, "strict_schema": schema}
        return schema | {"metadata": {**schema.get("metadata", {}), MARK: True}}


LONGEST_NAME: Final = 100
_NAMES: Final = re.compile(
    r".*(?:"
    r"(?:pass(?:word|wd|phrase|code)|secret|credential|cookie|card_?(?:number|no)|credit_?card|session_?id"
    r"|(?:api|private|access|secret|signing|encryption|master|ssh)_?key"
    r"|(?:auth|access|refresh|bearer|id|api|csrf|session|reset|invite|device|push)_?token)s?"
    r"|token|authorization|(?<![a-z0-9])(?:pwd|pass|cvv2?|cvc2?|ssn|otp|totp|jwt))"
    r"(?:_?(?:hash|hashed|digest|salt|value|plain|encrypted|base64|pem|confirm|confirmation|again|repeat|old|new|\d+))?"
)
"""What a secret is called, in small letters with `_` between the words, and the words for its other forms behind that.
Any other word behind it says something about the secret: ``password_changed_at``."""
_FIELD: Final = re.compile(r"[\w .:\[\]-]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_KEYS: Final = (
    "sk-|[sr]k_(?:live|test)_|gh[oprsu]_|github_pat_|glpat-|npm_|pypi-|xox[a-z]-|xapp-"
    "|AKIA|ASIA|AIza|whsec_|corral_"
)
_HEADERS: Final = re.compile(
    r"(?i)\b(?:(authorization[\"']?\s{0,3}[:=]\s{0,3}[\"'](?:\w{1,20} {1,3})?)[^\r\n\"']{8,}"
    r"|(authorization[\"']?\s{0,3}[:=]\s{0,3}(?:\w{1,20} {1,3})?)[^\r\n]{8,}"
    r"|(cookie[\"']?\s{0,3}:\s{0,3}+[\"']?+)[^\r\n\"']{4,}"
    r"|((?:bearer|basic) {1,3})[a-z0-9._~+/=-]{8,})"
)
_CARD: Final = re.compile(r"(?<!\d)(?<!\d\.)[2-6](?:[ -]?\d){12,18}(?!\d|\.\d)")
_LOOKS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}-----|\Z)", re.DOTALL),
        MASK,
    ),
    (_HEADERS, lambda found: f"{found[found.lastindex or 0]}{MASK}"),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),
    (re.compile(rf"\b(?:{_KEYS})[\w-]{{12,}}"), MASK),
    (re.compile(r"://([^\s/@:]{0,200}:)[^\s/@]{1,200}@"), rf"://\1{MASK}@"),
    (_CARD, lambda found: MASK if _is_card(found[0]) else found[0]),
)
"""Private keys, the credentials of headers, JSON web tokens, keys of well-known services, passwords in URLs, numbers of
cards: what is masked wherever it stands. Each is linear: what repeats is bounded, or cannot begin within itself."""

_NAMED: Final = re.compile(
    r"(?<![\w.\[\]-])([\w.\[\]-]++)[\"'\\\]]{0,4}[ \t]{0,3}(?:=>|=(?!=)|(:(?!:)))[ \t]{0,3}"
)
_OPENED: Final = (
    r"""((?:[bBuUrRfF]{1,2}|[A-Za-z_]\w{0,40}\()["'])[^"'\n]+|(\\{1,3}["'])[^"'\\\n]+"""
    r"""|(")(?:[^"\\\n]|\\.)+|(')(?:[^'\\\n]|\\.)+|([\[{(])[^\n]+"""
)
"""A quoted text, also of Python's bytes or in the call of a class; what is in brackets to the end of its line."""
_PLAIN: Final = rf"""(?!(?:None|null|[Tt]rue|[Ff]alse|{MASK})(?:[\s,;&"')\]}}]|\Z))[^\s&;"']+"""
_ASSIGNED: Final = re.compile(f"{_OPENED}|{_PLAIN}")
_TOLD: Final = re.compile(rf"{_OPENED}|(?!\S(?:\s|\Z)|[A-Za-z]++[.:!?]*+[ \t]++\S){_PLAIN}")
"""The value behind ``password=`` and behind ``password:``, where a sentence may follow: Field required."""


def looks_secret(name: str) -> bool:
    """Whether a field of this name is not shown, whatever its type says."""
    return len(name) <= LONGEST_NAME and _is_secrets_name(name)


@lru_cache(maxsize=4096)
def _is_secrets_name(name: str) -> bool:
    if _FIELD.fullmatch(name) is None:  # no name of a field, but a text
        return False
    return _NAMES.fullmatch(re.sub(r"[\W_]+", "_", _HUMP.sub("_", name)).strip("_").lower()) is not None


def masked_text(text: str) -> str:
    """A text without the secrets that can be seen in it."""
    for pattern, instead in _LOOKS:
        text = pattern.sub(instead, text)
    return "".join(_without_named(text)) if "=" in text or ":" in text else text


def _without_named(text: str) -> Iterator[str]:
    """The pieces of a text, the values of what has the name of a secret masked."""
    done = 0
    for named in _NAMED.finditer(text):
        if named.start() >= done and looks_secret(named[1][-LONGEST_NAME:]):
            value = (_TOLD if named[2] else _ASSIGNED).match(text, named.end())
            if value is not None:
                yield text[done : named.end()]
                yield (value[value.lastindex] if value.lastindex else "") + MASK
                done = value.end()
    yield text[done:]


def _is_card(text: str) -> bool:
    digits = [int(letter) for letter in reversed(text) if letter.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) if at % 2 else digit for at, digit in enumerate(digits))
    return sum(doubled) % 10 == 0 and any(digits)
