"""The example alert rules are rules, and speak of metrics that there are."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import yaml

from corral import Admin, Queue, Worker
from corral.contracts.observer import SettledRun
from corral.instrumentation.queue_metrics import QueueMetrics
from corral.instrumentation.worker_metrics import WorkerMetrics
from corral.store.database import Database
from corral.store.outbox_metrics import outbox_metrics
from tests.house.source import ROOT
from tests.instrumentation.scraped import Scraped

RULES: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((ROOT / "docs" / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
NAME = re.compile(r"\bcorral_[a-z_]+")


async def exported(redis_url: str, prefix: str) -> set[str]:
    """The names of all samples, and of families without samples, that the exporters give."""
    metrics = WorkerMetrics(Worker(Queue("q")))
    metrics.settled(SettledRun("q", "t", "completed", 1.0, timedelta(seconds=1).total_seconds()))
    async with Admin(redis_url, prefix=prefix) as admin:
        texts = [metrics.text(), await QueueMetrics(admin).text()]
    async with Database("sqlite:///:memory:") as database:
        await database.migrate()
        texts.append(await outbox_metrics(database))
    seen = [Scraped(text) for text in texts]
    samples = {sample.name for scraped in seen for sample in scraped.samples}
    families = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for scraped in seen
        for family in scraped.families
    }
    return samples | families


async def test_metrics_exist(redis_url: str, prefix: str) -> None:
    """Every metric named in an expression, and in the page about monitoring, is one of the exporters'."""
    known = await exported(redis_url, prefix)
    for rule in RULES:
        named = set(NAME.findall(rule["expr"]))
        assert named, rule["alert"]
        assert named <= known, rule["alert"]
    page = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")
    assert set(NAME.findall(page)) <= known
    shown = set(re.findall(r"^\| `(corral_[a-z_]+)", page, re.MULTILINE))
    plain = {name for name in known if not name.endswith(("_created", "_bucket", "_count", "_sum"))}
    assert shown == plain, "the page's tables have all of them"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_a_rule_is_whole(rule: dict[str, Any]) -> None:
    """It has a name, an expression whose brackets close, a severity and a summary."""
    assert (
        {"alert", "expr", "labels", "annotations"}
        <= rule.keys()
        <= {"for", "alert", "expr", "labels", "annotations"}
    )
    assert rule["labels"]["severity"] in ("page", "ticket")
    for pair in ("()", "{}", "[]"):
        assert rule["expr"].count(pair[0]) == rule["expr"].count(pair[1])
