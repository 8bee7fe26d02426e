"""The metrics of several processes are one text, in which each keeps its own numbers."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from corral.instrumentation.fleet_metrics import merged
from tests.instrumentation.scraped import Scraped


def text_of(count: int) -> bytes:
    """What a process has measured."""
    registry = CollectorRegistry()
    Counter("runs", "Runs.", ("task",), registry=registry).labels('a"b\\').inc(count)
    Histogram("seconds", "Time.", buckets=(1, 2), registry=registry).observe(count)
    return generate_latest(registry)


def test_each_keeps_its_own() -> None:
    """The label `process` tells them apart; each family is there once, with its type."""
    seen = Scraped(merged({1: text_of(1), 3: text_of(5)}))
    assert seen.value("runs_total", task='a"b\\', process="1") == 1
    assert seen.value("runs_total", process="3") == 5
    assert seen.value("seconds_bucket", process="1", le="1.0") == 1
    types = [(family.name, family.type) for family in seen.families if not family.name.endswith("_created")]
    assert types == [("runs", "counter"), ("seconds", "histogram")]


def test_none() -> None:
    """No process answers: nothing is known."""
    assert merged({}) == b""
