"""README's tables are complete: options, variables, commands."""

from __future__ import annotations

import re
import tomllib

import typer

from corral.cli.main import app
from corral.contracts.options import EnqueueOptions, TaskOptions
from tests.house.source import ROOT, SRC, modules

BETWEEN_PROCESSES = {"CORRAL_SUPERVISOR", "CORRAL_HEALTH_SOCKET"}
"""Variables with which Corral's processes speak to each other: no settings."""

OF_THIS_REPOSITORY = {"demo", "dev", "docs", "redis8", "test"}
"""Extras for work on Corral itself."""

README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading."""
    _, _, table = README.partition(f"\n| {heading} |")
    lines = table.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_option_is_in_the_table() -> None:
    """The table of options has all of `TaskOptions` and `EnqueueOptions`, and says rightly where each may be set."""
    places = {row[0].strip("`"): set(row[1].split(", ")) for row in rows("option")}
    on_task, on_call = TaskOptions.__annotations__.keys(), EnqueueOptions.__annotations__.keys()
    assert {name for name, where in places.items() if "task" in where} == set(on_task)
    assert {name for name, where in places.items() if "call" in where} == set(on_call)


def test_every_variable_is_in_the_table() -> None:
    """The table of settings has exactly the variables that the package reads."""
    in_table = {name for row in rows("variable") for name in re.findall(r"`(\w+)`", row[0])}
    pattern = re.compile(r"[\"']((?:REDIS|CORRAL|BULL_BOARD|SMTP)_[A-Z_]+)[\"']")
    in_code = {name for path in modules(SRC) for name in pattern.findall(path.read_text(encoding="utf-8"))}
    assert in_table == in_code - BETWEEN_PROCESSES


def test_every_extra_is_in_the_table() -> None:
    """The table of extras has all that a user may ask for, and says rightly which others come along."""
    there = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    in_table = {name: row[1] for row in rows("extra") for name in re.findall(r"`(\w+)`", row[0])}
    assert in_table.keys() == there.keys() - OF_THIS_REPOSITORY
    for name in in_table.keys() - {"all"}:
        _, _, said = in_table[name].partition("; has ")
        brought = {other for need in there[name] if "[" in need for other in _extras_of_corral(need)}
        assert set(re.findall(r"`(\w+)`", said)) == brought, name
    (everything,) = there["all"]
    assert in_table.keys() - {"all", "django"} <= _extras_of_corral(everything)


def _extras_of_corral(need: str) -> set[str]:
    found = re.match(r"corral\[([\w,]+)\]", need)
    return set(found[1].split(",")) if found else set()


def test_every_command_is_in_the_table() -> None:
    """The table of commands has exactly those of `corral`, and every verb and option named in it exists."""
    group = typer.main.get_command(app)
    commands = getattr(group, "commands", {})
    described = {row[0].split()[1].strip("`"): " ".join(row) for row in rows("command")}
    assert described.keys() == commands.keys()
    for name, text in described.items():
        verbs = getattr(commands[name], "commands", {})
        parts = [commands[name], *verbs.values()]
        options = {option for part in parts for parameter in part.params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", text)) <= options
        assert set(re.findall(r"`([a-z]+)`", text)) & verbs.keys() == verbs.keys()
