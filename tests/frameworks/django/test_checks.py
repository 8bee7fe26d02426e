"""`manage.py check` finds what is wrong with the settings, and says what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from tests.frameworks.django.conftest import Configure


def found() -> dict[str, str]:
    """What the system checks say: ids with message and hint."""
    return {str(one.id): f"{one.msg} {one.hint or ''}" for one in run_checks()}


def test_good_settings_pass() -> None:
    """Nothing is said of settings that work."""
    assert found() == {}


def test_an_embedded_server_passes(project: Configure, tmp_path: Path) -> None:
    """A URL of an embedded server is one; checking it starts none."""
    project(url=f"embedded://{tmp_path}")
    assert found() == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "check", "words"),
    [
        ({"atempts": 3}, "corral.E002", "Give one of url, prefix, attempts"),
        ({"url": 6379}, "corral.E002", "'url' is not text"),
        (
            {"url": "http://user:secret@cache"},
            "corral.E005",
            "http://cache cannot be read: it is malformed. Give redis://",
        ),
        ({"attempts": 0}, "corral.E003", "attempts"),
        ({"attempts": 2, "retries": 1}, "corral.E003", "attempts or retries, not both"),
        ({"backoff": "soon"}, "corral.E003", "backoff"),
        ({"timeout": -1}, "corral.E003", "timeout"),
    ],
    ids=["unknown", "url", "scheme", "attempts", "both", "backoff", "timeout"],
)
def test_options_that_cannot_be(project: Configure, options: dict[str, Any], check: str, words: str) -> None:
    """An option that does not exist, or has a value that cannot be, is named together with the remedy."""
    project(**options)
    assert words in found()[check]


def test_a_queue_that_cannot_be(project: Configure) -> None:
    """The names of queues are checked, too."""
    project(queues=["default", "a:b"])
    assert "use a dash or a dot" in found()["corral.E004"]


def test_the_application_is_missed() -> None:
    """Without the application there are no connections."""
    with override_settings(INSTALLED_APPS=["tests.frameworks.django.shop"]):
        assert 'Add "corral.frameworks.django" to INSTALLED_APPS' in found()["corral.E001"]
