"""The state diagram of the documentation, made from the table of transitions.

`python -m tests.docs.state_diagram` prints it.
"""

from __future__ import annotations

from corral.contracts.states import FINISHED, TRANSITIONS, JobState, Transition

__all__ = ["diagram", "table"]


def _node(state: JobState | None) -> str:
    return "[*]" if state is None else state.value.replace("-", "_")


def diagram() -> str:
    """Return the diagram as Mermaid text: one arrow for each pair of states, with the verbs that make the move."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for move in TRANSITIONS:
        verbs.setdefault((_node(move.source), _node(move.target)), []).append(move.verb)
    lines = [
        "stateDiagram-v2",
        f'    state "{JobState.WAITING_CHILDREN}" as {_node(JobState.WAITING_CHILDREN)}',
    ]
    lines += [
        f"    {source} --> {target}: {', '.join(dict.fromkeys(names))}"
        for (source, target), names in verbs.items()
    ]
    return "\n".join(lines) + "\n"


def table() -> str:
    """Return all moves as a Markdown table, in the order of `TRANSITIONS`."""
    head = "| verb | from | to | script |\n|---|---|---|---|\n"
    return head + "".join(f"{_row(move)}\n" for move in TRANSITIONS)


def _row(move: Transition) -> str:
    source = "nothing" if move.source is None else f"`{move.source}`"
    target = "nothing" if move.target is None else f"`{move.target}`"
    final = " (final)" if move.target in FINISHED else ""
    return f"| {move.verb} | {source} | {target}{final} | `engine/lua/{move.script}.lua` |"


if __name__ == "__main__":
    print(f"```mermaid\n{diagram()}```\n\n{table()}")
