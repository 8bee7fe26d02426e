"""What every template keeps to, read as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from corral.dashboard import app

TEMPLATES = sorted((Path(app.__file__).parent / "templates").glob("*.html"))
WHOLE = {"base.html", "refused.html"}
PARTS = {"parts.html", "past.html", "payload.html"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_nothing_is_inline_and_everything_is_escaped(path: Path) -> None:
    """No style, no handler and no script in the markup: the policy forbids them. Nothing is marked as safe."""
    text = path.read_text(encoding="utf-8")
    for forbidden in (
        r"\|\s*safe\b",
        r"autoescape",
        r"\sstyle=",
        r"\son\w+=",
        r"javascript:",
        r"<style",
        r"<script(?! type=\"module\" src=)",
    ):
        assert re.search(forbidden, text) is None, forbidden


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_each_page_has_one_heading_and_a_title(path: Path) -> None:
    """Pages share the head with its landmarks, name themselves in the title, and say in one `h1` where one is."""
    text = path.read_text(encoding="utf-8")
    if path.name in PARTS | WHOLE:
        return
    assert text.startswith('{% extends "base.html" %}')
    assert text.count("<h1") == 1
    assert path.name == "overview.html" or "{% block title %}" in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_each_form_says_how_it_is_sent(path: Path) -> None:
    """One that changes something is posted; one without a method only looks, or chooses a form."""
    for form in re.findall(r"<form\b[^>]*(?:{{.*?}}[^>]*)*>", path.read_text(encoding="utf-8")):
        assert 'method="post"' in form or 'role="search"' in form or path.name == "add_job.html", form
