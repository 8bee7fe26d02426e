"""Texts that have hurt other dashboards and APIs: for every name, parameter and field."""

from __future__ import annotations

from typing import Final

__all__ = ["HOSTILE"]

HOSTILE: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</textarea><svg onload=alert(1)>",
    "\u2028\u2029",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "\x1b[31m\x1b]0;owned\x07",
    "' OR 1=1; DROP TABLE jobs; --",
    "../../../../etc/passwd",
    "..%2f..%2f",
    "%00",
    "%s%n%d",
    "a\r\nSet-Cookie: x=1",
    "*",
    "[a-z]*?\\",
    "{a}{b}",
    "__proto__",
    "constructor.prototype",
    "meta",
    "wait",
    "0",
    "-1",
    "1e309",
    "NaN",
    "null",
    "true",
    "\U0001f40e" * 50,
    "a" * 300,
    "é" * 101,
    "\ufffe\uffff",
    " ",
    "bull:email:1",
    "repeat:x:1700000000000",
    "=cmd|' /C calc'!A0",
)
