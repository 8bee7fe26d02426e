"""Results as text: the bars, the tables, the page docs/benchmarks.md."""
