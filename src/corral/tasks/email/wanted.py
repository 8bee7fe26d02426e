"""What a template wants: the names that nobody gives it, or what it extends, includes and imports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from jinja2 import Environment, TemplateRuntimeError, TemplatesNotFound
from jinja2.meta import find_undeclared_variables
from jinja2.nodes import (
    Assign,
    AssignBlock,
    Const,
    Extends,
    Filter,
    FromImport,
    Import,
    Include,
    List,
    Macro,
    Name,
    Node,
    Test,
    Tuple,
)

__all__ = ["missing_names"]

Part = Extends | Include | Import | FromImport
SPECIAL: Final = frozenset({"self", "super", "caller", "varargs", "kwargs"})


def missing_names(
    environment: Environment, template: str, given: set[str], above: tuple[str, ...] = ()
) -> set[str]:
    """The names that are missing where these are given. Raises `TemplateError` for what does not parse, is not there,
    or is part of itself."""
    if template in above:
        raise TemplateRuntimeError(f"{template} is part of itself")
    assert environment.loader
    source, path, _ = environment.loader.get_source(environment, template)
    parsed = environment.parse(source, template, path)
    missing = (
        find_undeclared_variables(parsed) - given - SPECIAL - _tested(parsed) - _bound_for_blocks(parsed)
    )
    within = given | _bound(parsed.find_all(Node))
    for part in parsed.find_all((Extends, Include, Import, FromImport)):
        # What is imported sees its importer's names only where it says so.
        seen = within if getattr(part, "with_context", True) else set(environment.globals)
        assert isinstance(part, Part)
        for other in _named(environment, part):
            missing |= missing_names(environment, other, seen, (*above, template))
    return missing


def _named(environment: Environment, part: Part) -> list[str]:
    """The template that a statement names, if it is known before it is rendered."""
    given = part.template
    items = given.items if isinstance(given, (List, Tuple)) else [given]
    names = [item.value for item in items if isinstance(item, Const)]
    if len(names) < len(items):
        return []
    try:
        return [environment.select_template(names).name or ""]
    except TemplatesNotFound:
        if isinstance(part, Include) and part.ignore_missing:
            return []
        raise


def _tested(parsed: Node) -> set[str]:
    """Names that may be missing: the template asks whether they are there."""
    asked = [test.node for test in parsed.find_all(Test) if test.name in ("defined", "undefined")]
    asked += [each.node for each in parsed.find_all(Filter) if each.name in ("default", "d") and each.node]
    return {node.name for node in asked if isinstance(node, Name)}


def _bound_for_blocks(parsed: Node) -> set[str]:
    """Names that statements outside of all blocks bind: blocks see them, which Jinja's own analysis does not know."""
    outside = [node for node in parsed.iter_child_nodes() if isinstance(node, Import | FromImport | Macro)]
    targets = [node.target for node in parsed.iter_child_nodes() if isinstance(node, Assign | AssignBlock)]
    return _bound([*outside, *targets])


def _bound(nodes: Iterable[Node]) -> set[str]:
    names = set[str]()
    for node in nodes:
        if isinstance(node, FromImport):
            names |= {name if isinstance(name, str) else name[1] for name in node.names}
        elif isinstance(node, Import):
            names.add(node.target)
        elif isinstance(node, Macro) or (isinstance(node, Name) and node.ctx != "load"):
            names.add(node.name)
    return names
