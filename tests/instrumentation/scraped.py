"""A scrape, as Prometheus reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

__all__ = ["Scraped"]


class Scraped:
    """The samples of a scrape."""

    def __init__(self, text: bytes | str) -> None:
        whole = text if isinstance(text, str) else text.decode()
        self.families = list(text_string_to_metric_families(whole))
        self.samples = [sample for family in self.families for sample in family.samples]

    def value(self, name: str, **labels: str) -> float | None:
        """Of the one sample that has this name and these labels, and maybe others."""
        found = [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(found) <= 1, f"{name} {labels} is several"
        return found[0] if found else None

    def labels(self, name: str, label: str) -> set[str]:
        """The values that a label has."""
        return {sample.labels[label] for sample in self.samples if sample.name == name}
