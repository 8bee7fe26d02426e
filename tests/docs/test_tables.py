"""The documentation is held against the tables in the code that it describes."""

from __future__ import annotations

import re

from corral.contracts.event import EventName
from corral.contracts.names import decode_job_id, encode_job_id
from corral.contracts.states import TRANSITIONS
from corral.engine.faults import FAULTS
from corral.engine.keys import OWN_SUFFIXES
from tests.docs.state_diagram import diagram, table
from tests.house.source import ROOT, SRC

DOCS = ROOT / "docs"


def text_of(name: str) -> str:
    """Return a page of the documentation."""
    return (DOCS / name).read_text(encoding="utf-8")


def test_the_state_diagram_is_the_table_of_transitions() -> None:
    """Diagram and table of `docs/states.md` are what `tests.docs.state_diagram` makes of the code's table."""
    page = text_of("states.md")
    assert f"```mermaid\n{diagram()}```\n" in page
    assert table() in page


def test_the_faults_are_those_of_the_engine() -> None:
    """The table of errors in the architecture is `engine/faults.py`, row for row."""
    rows = [f"| `{fault.code}` | {fault.verdict} | {fault.remedy} |" for fault in FAULTS.values()]
    assert "\n".join(rows) in text_of("architecture.md")


def test_every_verb_is_in_the_glossary() -> None:
    """The verbs of the state table and the folders of scripts are words of the glossary."""
    verbs = {move.verb for move in TRANSITIONS}
    folders = {path.name for path in (SRC / "engine" / "lua").iterdir() if path.name != "lib"}
    assert verbs | folders <= set(re.findall(r"^\| \*\*(\w+)\*\*", text_of("glossary.md"), re.MULTILINE))


def test_every_own_key_is_listed() -> None:
    """Each of Corral's own keys is named on the page about them."""
    page = text_of("wire-layout.md")
    assert [name for name in OWN_SUFFIXES if f"`{name}`" not in page] == []


def test_ids_are_written_as_shown() -> None:
    """The table of ids says what the code does, in both directions."""
    rows = re.findall(r"^\| (`[^|]+`) \| (`[^|]+`|the same) \|", text_of("wire-layout.md"), re.MULTILINE)
    shown = 0
    for left, right in rows:
        for job_id in re.findall(r"`([^`]+)`", left):
            if right == "the same" or "%" in right:
                wire = job_id if right == "the same" else right.strip("`")
                assert (encode_job_id(job_id), decode_job_id(wire)) == (wire, job_id)
                shown += 1
    assert shown == 5


def test_every_example_is_listed() -> None:
    """Each program in `examples/`, and each folder of one, has a row on the page about them."""
    page = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    programs = {
        path.name
        for path in (ROOT / "examples").iterdir()
        if path.suffix == ".py" or (path.is_dir() and path.name != "__pycache__")
    }
    assert set(re.findall(r"^\| \[([\w.]+)\]", page, re.MULTILINE)) == programs


def test_decisions_are_numbered_and_complete() -> None:
    """Each record has its number, a context, a decision and its consequences; none is missing."""
    records = sorted((DOCS / "decisions").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: "), path
        assert "\n## Consequences\n" in text, path


def test_every_event_is_listed() -> None:
    """The page about events has a row for each of BullMQ's, and no other."""
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", text_of("events.md"), re.MULTILINE)
    assert sorted(name for row in rows for name in re.findall(r"`([a-z-]+)`", row)) == sorted(EventName)
