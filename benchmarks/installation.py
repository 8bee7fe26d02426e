"""Installs every peer in an environment of its own: several pin different majors of redis-py."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.places import ENVIRONMENTS, LOGS, ROOT
from benchmarks.systems import SYSTEMS, System

REQUIREMENTS: dict[str, list[str]] = {
    "corral": ["--editable", f"{ROOT}[fast]"],
    "bullmq": ["bullmq==3.4.4", "uvloop", "hiredis"],
    "pgqueuer": ["pgqueuer==1.6.0", "asyncpg", "uvloop"],
    "taskiq": ["taskiq==0.13.0", "taskiq-redis==1.2.4", "orjson", "uvloop", "hiredis"],
    "dramatiq": ["dramatiq[redis]==2.2.1", "hiredis"],
    # saq does not name typing_extensions, and does not import without it.
    "saq": ["saq[hiredis,redis]==0.26.4", "typing_extensions", "uvloop"],
    "profiler": ["py-spy"],
}
NODE_PACKAGES = {"bullmq": "6.7.0", "ioredis": "^6"}
SHOWN = (
    "corral", "pydantic", "redis", "hiredis", "uvloop", "bullmq", "pgqueuer", "asyncpg", "taskiq", "taskiq-redis",
    "dramatiq", "saq",
)  # fmt: skip


def install(systems: Iterable[System], extra: Iterable[str] = ()) -> None:
    """Install what these systems need and is not there yet, all of it at the same time."""
    LOGS.mkdir(parents=True, exist_ok=True)
    wanted = dict.fromkeys([*(system.environment for system in systems), *extra])
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: _install_node() if name == "node" else _install_python(name), wanted))


def python_of(environment: str) -> Path:
    """The interpreter of an environment."""
    return ENVIRONMENTS / environment / "bin" / "python"


def node_modules() -> Path:
    """Where Node finds its packages."""
    return ENVIRONMENTS / "node" / "node_modules"


def versions(systems: Iterable[System]) -> dict[str, dict[str, str]]:
    """What is installed in each environment, of what matters for speed."""
    found: dict[str, dict[str, str]] = {}
    for name in dict.fromkeys(system.environment for system in systems):
        found[name] = _node_versions() if name == "node" else _python_versions(name)
    return found


def _install_python(name: str) -> None:
    folder = ENVIRONMENTS / name
    words = REQUIREMENTS[name]
    own = (ROOT / "pyproject.toml").read_text() if name == "corral" else ""
    if _is_current(folder, json.dumps([words, sys.version, own])):
        return
    print(f"installing {' '.join(words)}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], name)
    _run(
        [str(python_of(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words], name
    )
    _mark(folder, json.dumps([words, sys.version, own]))


def _install_node() -> None:
    if not shutil.which("node") or not shutil.which("npm"):
        raise SystemExit("Node's BullMQ needs node and npm (18 or newer) on PATH")
    folder = ENVIRONMENTS / "node"
    if _is_current(folder, json.dumps(NODE_PACKAGES)):
        return
    print(f"installing {NODE_PACKAGES}", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": NODE_PACKAGES}))
    _run(["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix", str(folder)], "node")
    _mark(folder, json.dumps(NODE_PACKAGES))


def _is_current(folder: Path, content: str) -> bool:
    stamp = folder / ".installed"
    return stamp.is_file() and stamp.read_text() == hashlib.sha256(content.encode()).hexdigest()


def _mark(folder: Path, content: str) -> None:
    (folder / ".installed").write_text(hashlib.sha256(content.encode()).hexdigest())


def _run(words: list[str], name: str) -> None:
    log = LOGS / f"install-{name}.log"
    with log.open("ab") as output:
        code = subprocess.run(words, stdout=output, stderr=output, check=False).returncode
    if code:
        raise SystemExit(f"{' '.join(words)}\nfailed with code {code}:\n{log.read_text()[-2000:]}")


def _python_versions(name: str) -> dict[str, str]:
    words = [str(python_of(name)), "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(words, capture_output=True, check=True, text=True).stdout)
    found = {each["name"].lower().replace("_", "-"): each["version"] for each in listed}
    return {key: found[key] for key in SHOWN if key in found}


def _node_versions() -> dict[str, str]:
    node = subprocess.run(["node", "--version"], capture_output=True, check=True, text=True).stdout.strip()
    found = {"node": node.removeprefix("v")}
    for package in NODE_PACKAGES:
        found[package] = json.loads((node_modules() / package / "package.json").read_text())["version"]
    return found


def all_environments() -> list[System]:
    """Every system, for `setup`."""
    return list(SYSTEMS.values())
