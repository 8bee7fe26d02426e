"""Texts of requests. One that no database takes is the caller's mistake, and is told so: 422."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, EmailStr, Field

__all__ = ["Address", "Text"]


def _storable(given: object) -> object:
    text = given if isinstance(given, str) else ""
    if "\0" in text:
        raise ValueError("it holds the character NUL, which PostgreSQL cannot store")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it is not valid Unicode text (a lone surrogate)") from None
    return given


Text = Annotated[str, BeforeValidator(_storable)]
"""The type of every text that comes from outside, in bodies, paths and queries. JSON can name characters that are none,
as `"\\ud800"`, and some that PostgreSQL cannot store."""

Address = Annotated[EmailStr, AfterValidator(str.lower), Field(max_length=200)]
"""Where somebody gets mail, written in one way only: so it is found again."""
