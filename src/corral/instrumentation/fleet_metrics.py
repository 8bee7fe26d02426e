"""The metrics of several worker processes as one text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

__all__ = ["merged"]


def merged(texts: Mapping[int, bytes]) -> bytes:
    """What each process has measured, by its number: one text, in which the label `process` tells them apart."""
    registry = CollectorRegistry()
    registry.register(_Fleet(texts))
    return generate_latest(registry)


class _Fleet(Collector):
    def __init__(self, texts: Mapping[int, bytes]) -> None:
        self._texts = texts

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for number, text in self._texts.items():
            for found in text_string_to_metric_families(text.decode()):
                family = families.setdefault(found.name, Metric(found.name, found.documentation, found.type))
                for sample in found.samples:
                    labels = {**sample.labels, "process": str(number)}
                    family.add_sample(sample.name, labels, sample.value)
        return families.values()
