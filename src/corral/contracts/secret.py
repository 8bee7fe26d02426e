"""What nobody should read on a page, in a log or in a trace: marked by a type, or known by its name or its look."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["MASK", "Secret", "looks_secret", "masked_text"]

MASK: Final = "•••"


@dataclass(frozen=True, slots=True)
class Secret:
    """Marks a part of a payload or result: ``password: Annotated[str, Secret()]``. It is stored and handed to handlers
    as it is, and shown as `MASK` by the API, the dashboard, logs and traces."""


_NAMES: Final = re.compile(
    r"(?:.*(?:password|passwd|passphrase|secret|credentials?|apikey|privatekey|accesskey|sessionid)"
    r"|(?:.*(?:auth|access|refresh|bearer|id|api|csrf|session|reset|invite))?token"
    r"|pwd|authorization|proxyauthorization|cookie|setcookie|cvv2?|cvc|ssn)"
)
"""Names of fields, in small letters and without what separates words."""

_CARD: Final = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.])")
_LOOKS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (
        re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}-----|\Z)", re.DOTALL),
        MASK,
    ),
    (re.compile(r"(?i)\b(bearer|basic) [a-z0-9._~+/=-]{8,}"), rf"\1 {MASK}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), MASK),
    (re.compile(r"\b(?:sk_live_|sk-|ghp_|gho_|xox[abp]-|AKIA|whsec_|corral_)[\w-]{12,}"), MASK),
    (re.compile(r"(://[^\s/@:]{0,200}:)[^\s/@]{1,200}@"), rf"\1{MASK}@"),
    (_CARD, lambda found: MASK if _is_card(found[0]) else found[0]),
)
"""Private keys, the credentials of headers, JSON web tokens, keys of well-known services, passwords in URLs, numbers of
cards: what is masked wherever it stands."""


def looks_secret(name: str) -> bool:
    """Whether a field of this name is not shown, whatever its type says."""
    if re.fullmatch(r"[\w .:-]{1,100}", name) is None:  # no name of a field, but a text
        return False
    return _NAMES.fullmatch(re.sub(r"[\W_]+", "", name).lower()) is not None


def masked_text(text: str) -> str:
    """A text without the secrets that can be seen in it."""
    for pattern, instead in _LOOKS:
        text = pattern.sub(instead, text)
    return text


def _is_card(text: str) -> bool:
    digits = [int(letter) for letter in reversed(text) if letter.isdigit()]
    doubled = (sum(divmod(2 * digit, 10)) if at % 2 else digit for at, digit in enumerate(digits))
    return sum(doubled) % 10 == 0 and any(digits)
