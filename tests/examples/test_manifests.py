"""What the reference application is run with: every command, variable, probe and metric in it is one that there is.

No container is started here. Each command line is read by the program that it names, and each target is loaded.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pytest
import typer
import uvicorn
import yaml
from uvicorn.importer import import_from_string

from corral import Admin
from corral.cli.main import app
from corral.cli.target import load_worker
from corral.instrumentation.queue_metrics import QueueMetrics
from corral.worker.worker import Worker
from shop.settings import Settings
from tests.docs.test_readme import rows
from tests.house.source import ROOT

REFERENCE = ROOT / "examples" / "reference"
COMPOSES = ("docker-compose.dev.yml", "docker-compose.yml")
KUBERNETES = sorted((REFERENCE / "kubernetes").glob("*.yaml"))
OURS = ("corral", "uvicorn", "python")
OTHERS = {"PYTHONPATH", "OUTSIDE_HOST"}
"""Variables that are neither the shop's nor Corral's."""


def compose(name: str) -> dict[str, Any]:
    """A compose file, its anchors resolved."""
    found: dict[str, Any] = yaml.safe_load((REFERENCE / name).read_text(encoding="utf-8"))
    return found


def manifests() -> list[dict[str, Any]]:
    """All Kubernetes objects but the list of their files."""
    texts = [path.read_text(encoding="utf-8") for path in KUBERNETES if path.name != "kustomization.yaml"]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def of_kind(*kinds: str) -> list[dict[str, Any]]:
    """The objects of these kinds."""
    return [document for document in manifests() if document["kind"] in kinds]


WORKLOADS = of_kind("Deployment", "Job")


def pod(workload: Mapping[str, Any]) -> dict[str, Any]:
    """What a workload runs."""
    found: dict[str, Any] = workload["spec"]["template"]["spec"]
    return found


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every command line of ours, and where it stands."""
    for name in COMPOSES:
        for service, described in compose(name)["services"].items():
            yield f"{name}:{service}", described.get("command", [])
            yield f"{name}:{service}:healthcheck", described.get("healthcheck", {}).get("test", [])[1:]
    for workload in WORKLOADS:
        for container in pod(workload)["containers"]:
            yield f"kubernetes:{container['name']}", container["command"]
    docker = (REFERENCE / "Dockerfile").read_text(encoding="utf-8")
    for command in re.findall(r"^CMD (\[.*\])$", docker, re.MULTILINE):
        yield "Dockerfile", ast.literal_eval(command)
    readme = (REFERENCE / "README.md").read_text(encoding="utf-8")
    for line in re.findall(r"^    (.+)$", readme, re.MULTILINE):
        words = [word for word in shlex.split(line, comments=True) if not re.match(r"[A-Z_]+=", word)]
        yield f"README: {line.strip()}", words


LINES = [(place, line) for place, line in commands() if line and line[0] in OURS]


def test_all_kinds_of_commands_are_there() -> None:
    """Nothing has been left out by the way in which they are gathered."""
    first = [(place.partition(":")[0], line[0]) for place, line in LINES]
    for place in (*COMPOSES, "kubernetes", "README"):
        assert {program for found, program in first if found == place} == set(OURS)
    assert ("Dockerfile", "uvicorn") in first


@pytest.mark.parametrize(("place", "line"), LINES, ids=[place for place, _ in LINES])
def test_a_command_is_one_that_there_is(place: str, line: list[str]) -> None:
    """`corral`, uvicorn and Python take it as it stands, and what it is to run can be imported."""
    match line:
        case ["corral", name, *words]:
            command: Any = cast("Any", typer.main.get_command(app)).commands[name]
            while hasattr(command, "commands"):
                command, words = command.commands[words[0]], words[1:]
            context = command.make_context(name, words)
            if "target" in context.params:
                assert isinstance(load_worker(context.params["target"]), Worker)
        case ["uvicorn", *words]:
            here = [word.replace("/app/src", str(REFERENCE / "src")) for word in words]  # as it is mounted
            context = uvicorn.main.make_context("uvicorn", here)
            assert context.params["factory"]
            assert callable(import_from_string(context.params["app"]))
        case ["python", "-m", module, *_]:
            assert importlib.util.find_spec(module) is not None
        case ["python", "-c", program]:
            compile(program, place, "exec")
        case _:
            pytest.fail(f"no such command: {line}")


def test_what_reloads_watches_the_sources() -> None:
    """`corral worker --reload` watches the folder that it is started in."""
    text = (REFERENCE / "docker-compose.dev.yml").read_text(encoding="utf-8")
    services = yaml.safe_load(text)["services"]
    assert services["worker"]["working_dir"] == "/app/src"


def known_variables() -> set[str]:
    """The variables of the shop, and those of Corral that README lists."""
    corral = {name for row in rows("variable") for name in re.findall(r"`(\w+)`", row[0])}
    return corral | {name.upper() for name in Settings.model_fields} | OTHERS


def test_variables_are_known() -> None:
    """Whatever is set is read by somebody: a misspelt variable would leave a default in its place."""
    given = {
        name
        for file in COMPOSES
        for service, described in compose(file)["services"].items()
        if service not in ("postgres", "valkey")
        for name in described.get("environment", {})
    }
    (configuration,) = of_kind("ConfigMap")
    assert given | configuration["data"].keys() <= known_variables()
    secrets = re.findall(r"[A-Z_]{4,}", (REFERENCE / "kubernetes" / "configuration.yaml").read_text("utf-8"))
    assert set(secrets) <= known_variables()


@pytest.mark.parametrize("name", COMPOSES)
def test_the_settings_are_valid(name: str) -> None:
    """The shop takes the values as they are."""
    for service in ("api", "worker", "migrate"):
        environment = compose(name)["services"][service]["environment"]
        plain = {key: re.sub(r"\$\{\w+(:\?)?\}", "x", value) for key, value in environment.items()}
        Settings.from_environment(plain)


def test_production_survives() -> None:
    """Nothing accepted is lost by a restart, nothing runs as root or writes into its image, and all is looked after."""
    services = compose("docker-compose.yml")["services"]
    for name, service in services.items():
        assert service["read_only"], name
        assert service["user"].split(":")[0] != "0", name
        assert service["cap_drop"] == ["ALL"], name
        assert name == "migrate" or service["healthcheck"], name
    valkey = " ".join(services["valkey"]["command"])
    assert "--appendonly yes" in valkey
    assert "--maxmemory-policy noeviction" in valkey
    assert services["worker"]["deploy"]["replicas"] > 1
    assert services["api"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def grace_of(command: Sequence[str]) -> float:
    """The seconds for which a worker lets jobs finish."""
    return float(command[list(command).index("--grace") + 1])


def test_nothing_is_killed_within_its_grace() -> None:
    """Whoever stops a worker waits longer than the worker does."""
    worker = compose("docker-compose.yml")["services"]["worker"]
    assert float(worker["stop_grace_period"].removesuffix("s")) > grace_of(worker["command"])
    (workload,) = [each for each in WORKLOADS if each["metadata"]["name"] == "shop-worker"]
    (container,) = pod(workload)["containers"]
    assert pod(workload)["terminationGracePeriodSeconds"] > grace_of(container["command"])


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda each: str(each["metadata"]["name"]))
def test_pods_are_harmless(workload: dict[str, Any]) -> None:
    """No root, nothing to write to but what is given, and no key to the cluster."""
    described = pod(workload)
    assert described["securityContext"]["runAsNonRoot"]
    assert not described["automountServiceAccountToken"]
    for container in described["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("deployment", of_kind("Deployment"), ids=lambda each: str(each["metadata"]["name"]))
def test_probes_ask_where_somebody_answers(deployment: dict[str, Any]) -> None:
    """Each has all three, at ports that are declared, and at paths that API and worker serve."""
    (container,) = pod(deployment)["containers"]
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    paths = {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    for probe, path in paths.items():
        asked = container[probe]["httpGet"]
        assert asked["path"] == path
        assert ports[asked["port"]] in container["command"]


def test_names_lead_to_each_other() -> None:
    """Budgets, the service and the scaler mean deployments that are there; every file is in the list."""
    labels = [each["spec"]["template"]["metadata"]["labels"] for each in of_kind("Deployment")]
    for budget in of_kind("PodDisruptionBudget"):
        assert budget["spec"]["selector"]["matchLabels"] in labels
    for service in of_kind("Service"):
        assert service["spec"]["selector"] in labels
    for scaler in of_kind("ScaledObject"):
        target = scaler["spec"]["scaleTargetRef"]["name"]
        assert target in {each["metadata"]["name"] for each in of_kind("Deployment")}
    listed = yaml.safe_load((REFERENCE / "kubernetes" / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted([*listed, "kustomization.yaml"]) == [path.name for path in KUBERNETES]


async def test_it_scales_by_what_is_exported(redis_url: str, prefix: str) -> None:
    """The queries of the scaler name metrics that `/metrics` has, and queues that the worker serves."""
    async with Admin(redis_url, prefix=prefix) as admin:
        exported = set(re.findall(r"corral_\w+", (await QueueMetrics(admin).text()).decode()))
    (scaler,) = of_kind("ScaledObject")
    queries = [trigger["metadata"]["query"] for trigger in scaler["spec"]["triggers"]]
    served = load_worker("shop.worker:create_worker")
    for query in queries:
        assert set(re.findall(r"corral_\w+", query)) <= exported
        (queues,) = re.findall(r'queue=~"([^"]+)"', query)
        assert set(queues.split("|")) <= set(served.queues)
