"""The site's builder is strict, and what it builds needs nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

pytestmark = pytest.mark.site

INDEX = "# Small\n\n## Part\n\n[there](#part)\n\n```{toctree}\n:glob:\npage*\n```\n"
PAGE = "# Page\n\n[part](index.md#part)\n\n```public\ncorral.Keep\ncorral.InvalidOption\n```\n"

MISTAKES = {
    "link": ("[x](nowhere.md)", "nowhere.md"),
    "anchor": ("[x](index.md#nothing)", "nothing"),
    "picture": ("![x](images/none.png)", "images/none.png"),
    "page": ("```{toctree}\nnone\n```", "page-page.md:3: WARNING: toctree contains reference to non"),
    "reference": ("```{eval-rst}\n:py:obj:`corral.Worker.nothing`\n```", "corral.Worker.nothing"),
    "drawing": ("```mermaid\nflowchart LR\n```", "docs/site/drawings/page-drawing.svg"),
}
"""Pages that are wrong: what stands in them, and what is said of it."""


def build(docs: Path, site: Path, **pages: str) -> subprocess.CompletedProcess[str]:
    """Build a site of these pages as `make docs` does."""
    docs.mkdir()
    for name, text in {"index": INDEX, **pages}.items():
        (docs / f"{name}.md").write_text(text, encoding="utf-8")
    strictly = ["--quiet", "--fail-on-warning", "--keep-going", "-c", str(ROOT / "docs" / "site")]
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *strictly, str(docs), str(site)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_site_is_built_and_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Links lead somewhere, docstrings become entries; scripts, styles, fonts and pictures are the site's own."""
    site = tmp_path / "site"
    built = build(tmp_path / "docs", site, page=PAGE)
    assert built.returncode == 0, built.stderr
    assert 'id="corral.Keep"' in (site / "page.html").read_text(encoding="utf-8")
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)[^>]*src=\"([^\"]+)\"|<link[^>]*href=\"([^\"]+)\"", text)
        assert [address for pair in loaded for address in pair if "//" in address] == [], page.name
    for style in (site / "_static").rglob("*.css"):
        assert not re.search(r"url\([\"']?https?:|@import", style.read_text(encoding="utf-8")), style.name


def test_what_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    """A dead link, anchor, picture or reference, a page in no list and a diagram not drawn are told by name."""
    pages = {f"page-{kind}": f"# Page\n\n{page}\n" for kind, (page, _) in MISTAKES.items()}
    built = build(tmp_path / "docs", tmp_path / "site", page=PAGE, lost="# Lost\n", **pages)
    assert built.returncode != 0
    for kind, (_, said) in MISTAKES.items():
        complaints = [line for line in built.stderr.splitlines() if f"page-{kind}" in line]
        assert any(said in line for line in complaints), (kind, built.stderr)
    assert re.search(r"lost\.md: WARNING: document isn't included in any toctree", built.stderr)


@pytest.mark.parametrize(
    "block", ["```public\ncorral.Nothing\n```", "```readme\nNo such part\n```"], ids=["name", "section"]
)
def test_a_block_of_what_is_not_there_is_an_error(tmp_path: Path, block: str) -> None:
    """An entry for a name that does not exist, and a part that README does not have, end the build."""
    built = build(tmp_path / "docs", tmp_path / "site", page=f"# Page\n\n{block}\n")
    assert built.returncode != 0
    assert block.splitlines()[1].removeprefix("corral.") in built.stderr
