"""The routes of the admin API, as its OpenAPI description has them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from starlette.requests import HTTPConnection

from corral import Admin
from corral.http.app import create_api

__all__ = ["routes"]


async def _nobody(request: HTTPConnection) -> None:
    """Without a database somebody has to say who asks."""


def routes() -> str:
    """Return all routes as Markdown: by resource, each with its parameters and its body."""
    described = create_api(Admin("redis://localhost"), authenticate=_nobody).openapi()
    found = [
        (route.get("tags", ["Other"])[0], method.upper(), path, route)
        for path, methods in described["paths"].items()
        for method, route in methods.items()
    ]
    lines: list[str] = []
    for tag, group in groupby(sorted(found, key=lambda entry: entry[0]), key=lambda entry: entry[0]):
        lines += [f"## {tag.capitalize()}", ""]
        for _, method, path, route in group:
            lines += [f"### `{method} {path}`", "", route.get("description") or route["summary"], ""]
            lines += _parameters(route)
    return "\n".join(lines)


def _parameters(route: dict[str, Any]) -> Iterator[str]:
    rows = [
        f"| `{given['name']}` | {given['in']} | {_type(given['schema'])} |"
        for given in route.get("parameters", [])
    ]
    bodies = route.get("requestBody", {}).get("content", {}).values()
    rows += [f"| body | | {_type(body['schema'])} |" for body in bodies]
    if rows:
        yield from ("| parameter | where | type |", "|---|---|---|", *rows, "")


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    return str(schema.get("type", "any"))
