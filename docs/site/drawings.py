"""Diagrams: what GitHub draws from Mermaid's text is drawn by hand here, so that no page needs megabytes of script.

A drawing stands in the page itself, where it takes the colours of light and dark.
"""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

__all__ = ["Mermaid", "setup"]

DRAWINGS = Path(__file__).parent / "drawings"


class Mermaid(SphinxDirective):
    """The drawing that has the name of the page."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Show it, or say where it has to be."""
        drawing = DRAWINGS / f"{self.env.docname}.svg"
        if not drawing.exists():
            raise self.error(f"a diagram without a drawing: draw docs/site/drawings/{drawing.name}")
        self.env.note_dependency(str(drawing))
        picture = f'<div class="drawn">{drawing.read_text(encoding="utf-8")}</div>'
        return [nodes.raw("", picture, format="html")]


def setup(app: Sphinx) -> dict[str, bool]:
    """Take the place of Mermaid's blocks."""
    app.add_directive("mermaid", Mermaid)
    return {"parallel_read_safe": True}
