"""The tutorial can be followed word by word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.documents import FOLLOWED, blocks
from tests.docs.followed import Reader


@pytest.mark.site
def test_the_tutorial_can_be_followed(tmp_path: Path) -> None:
    """Its files and commands, in their order, in an empty directory without a server, print what it says."""
    with Reader(tmp_path) as reader:
        for block in blocks("python", "bash", "text"):
            if block.document == FOLLOWED:
                reader.follow(block)
