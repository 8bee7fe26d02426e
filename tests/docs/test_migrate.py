"""The guides for those who come from elsewhere: what they show of other systems is at least code, and Node's runs."""

from __future__ import annotations

import ast
import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.docs.documents import Block, blocks, program_of
from tests.docs.test_code import MAIN, PRELUDE, run
from tests.house.source import ROOT
from tests.interop.bullmq import NEWEST, PROJECT, REMEDY

OTHERS = [block for block in blocks("py") if "migrate" in block.document.parts]
NODE = [block for block in blocks("js", "python") if block.document.name == "bullmq.md"]


@pytest.mark.parametrize("block", OTHERS, ids=str)
def test_code_of_other_systems_is_python(block: Block) -> None:
    """It parses, says in its first line whose it is, and takes nothing from Corral."""
    tree = ast.parse(textwrap.dedent(block.text))
    assert block.text.startswith(("# Celery", "# arq", "# RQ"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not any((node.module or "").startswith("corral") for node in imports)


@pytest.mark.node
def test_both_sides_of_the_guide_for_node_run(tmp_path: Path, redis_url: str, prefix: str) -> None:
    """The programs for Node and the fragments for Corral run in the order of the page, on the same queues."""
    if not (PROJECT / "node_modules").is_dir():
        pytest.fail(f"BullMQ is not installed: {REMEDY}", pytrace=False)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "bullmq").symlink_to(PROJECT / "node_modules" / f"bullmq-{NEWEST}")
    for number, block in enumerate(NODE):
        if block.language == "python":
            fragment = tmp_path / f"fragment_{number}.py"
            fragment.write_text(program_of(block, PRELUDE) + MAIN, encoding="utf-8")
            run(fragment, tmp_path, PYTHONPATH=str(ROOT), REDIS_URL=redis_url, CORRAL_PREFIX=prefix)
            continue
        program = tmp_path / f"program_{number}.mjs"
        program.write_text(block.text.replace("{ connection", f'{{ prefix: "{prefix}", connection'), "utf-8")
        done = subprocess.run(
            ["node", program],
            env={**os.environ, "REDIS_URL": redis_url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
