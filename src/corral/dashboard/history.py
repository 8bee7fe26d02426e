"""The past of queues as charts: what a page shows of it, which words go with it, and what it covers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import tzinfo
from itertools import groupby

from markupsafe import Markup

from corral.admin.lookback import Past
from corral.contracts.states import JobState
from corral.contracts.stretch import MINUTE_MS, Stretch
from corral.dashboard.axes import amount, marks
from corral.dashboard.charts import Chart, Series, chart_svg, sparkline
from corral.dashboard.formats import count, milliseconds
from corral.dashboard.span import Span, clock_of, day_of

__all__ = ["History", "Row", "spark_of_depth", "spark_of_pace"]

Value = Callable[[Stretch], float | None]
READY = (JobState.WAITING, JobState.PRIORITIZED)


@dataclass(frozen=True, slots=True)
class Row:
    """One stretch in a table: its place, when it was, and all values as they are read."""

    place: int
    when: str
    values: list[str]


class History:
    """The charts of one past. Times are those of a zone.

    `detailed`: all charts, for one queue; else the three that tell where to look.
    """

    def __init__(self, past: Past, span: Span, zone: tzinfo, *, detailed: bool) -> None:
        self.span = span
        self.is_empty = past.is_empty
        self._past = past
        self._zone = zone
        self._along = marks(past, span, zone)
        self._sampled = [one is not None for one in past.stretches]
        self.charts = _charts(past)[: None if detailed else 3]

    def draw(self, chart: Chart) -> Markup:
        """The picture of one of the charts."""
        return chart_svg(chart, self._along, self._sampled)

    @property
    def columns(self) -> list[str]:
        """What the columns of the table are."""
        return [f"{chart.title}: {one.words}" for chart in self.charts for one in chart.series]

    @property
    def rows(self) -> list[Row]:
        """The values of all charts, the latest first, without those of which nothing is known."""
        columns = [one.said for chart in self.charts for one in chart.series]
        return [
            Row(place, self._moment(place), [said[place] for said in columns])
            for place in reversed(range(len(self._sampled)))
            if self._sampled[place]
        ]

    @property
    def coverage(self) -> list[str]:
        """Which minutes were sampled, in sentences."""
        gaps = [
            list(run)
            for known, run in groupby(range(len(self._sampled)), lambda place: self._sampled[place])
            if not known
        ]
        since = f" since {self._moment(gaps.pop(0)[-1] + 1)}" if gaps and gaps[0][0] == 0 else ""
        minutes = sum(one.minutes for one in self._past.stretches if one)
        possible = (self._past.end - self._past.begin) // MINUTE_MS
        said = [f"One sample a minute{since}: {count(minutes)} of {count(possible)} minutes."]
        if gaps and gaps[-1][-1] == len(self._sampled) - 1:
            said.append(f"No sample since {self._moment(gaps.pop()[0])}.")
        if gaps:
            between = " and ".join(self._moment(edge) for edge in (gaps[-1][0], gaps[-1][-1] + 1))
            more = {1: "", 2: ", nor in one more gap"}.get(len(gaps), f", nor in {len(gaps) - 1} more gaps")
            said.append(f"No sample between {between}{more}.")
        return said

    @property
    def step(self) -> str:
        """How long each stretch is."""
        return milliseconds(self._past.step)

    @property
    def zone_name(self) -> str:
        """Of which clock the times are."""
        return str(self._zone)

    def _moment(self, place: int) -> str:
        at = min(self._past.begin + place * self._past.step, self._past.end)
        clock = clock_of(at, self._zone)
        return f"{day_of(at, self._zone)}, {clock}" if self.span.minutes >= 24 * 60 else clock


def spark_of_pace(past: Past, span: Span) -> Markup:
    """What completed and what failed, for a row of a table."""
    completed, failed = (
        sum(getattr(one, name) for one in past.stretches if one) for name in ("completed", "failed")
    )
    title = f"last {span.words}: {count(completed)} completed, {count(failed)} failed"
    return sparkline(_pace(past), [one is not None for one in past.stretches], title)


def spark_of_depth(past: Past, span: Span) -> Markup:
    """How many were ready, for a row of a table."""
    ready = _amounts(past, "ready", "waiting", _ready, is_area=True)
    highest = max((value for value in ready.values if value is not None), default=0)
    title = f"last {span.words}: at most {count(int(highest))} ready"
    return sparkline([ready], [one is not None for one in past.stretches], title)


def _charts(past: Past) -> list[Chart]:
    return [
        Chart("Ended a minute", _pace(past)),
        Chart("Waited", _times(past, "wait"), are_durations=True),
        Chart(
            "Ready and running",
            (
                _amounts(past, "ready", "waiting", _ready, is_area=True),
                _amounts(past, "active", "active", lambda one: one.count(JobState.ACTIVE)),
            ),
        ),
        Chart("Ran", _times(past, "run"), are_durations=True),
        Chart(
            "Next in line, due for",
            (_durations(past, "oldest", "times", lambda one: one.oldest_waiting or 0, is_area=True),),
            are_durations=True,
        ),
        Chart(
            "Set for later",
            (
                _amounts(past, "delayed", "delayed", lambda one: one.count(JobState.DELAYED), is_area=True),
                _amounts(
                    past,
                    "wait for children",
                    "waiting-children",
                    lambda one: one.count(JobState.WAITING_CHILDREN),
                ),
            ),
        ),
    ]


def _pace(past: Past) -> tuple[Series, ...]:
    return (
        _amounts(past, "completed", "completed", lambda one: one.completed / one.minutes, is_area=True),
        replace(
            _amounts(past, "failed", "failed", lambda one: one.failed / one.minutes, is_area=True),
            is_rare=True,
        ),
    )


def _times(past: Past, what: str) -> tuple[Series, ...]:
    return (
        _durations(past, "p95", "worst", lambda one: getattr(one, f"{what}_p95"), is_area=True),
        _durations(past, "p50", "times", lambda one: getattr(one, f"{what}_p50")),
    )


def _ready(one: Stretch) -> float:
    return one.count(*READY)


def _amounts(past: Past, words: str, ink: str, value: Value, *, is_area: bool = False) -> Series:
    return _series(past, words, ink, value, amount_said, is_area)


def _durations(past: Past, words: str, ink: str, value: Value, *, is_area: bool = False) -> Series:
    return _series(past, words, ink, value, milliseconds, is_area)


def amount_said(number: float) -> str:
    """`0.4`, `12`, `3,210`."""
    return amount(number) if number < 10 else count(round(number))


def _series(
    past: Past, words: str, ink: str, value: Value, say: Callable[[float], str], is_area: bool
) -> Series:
    values = [None if one is None else value(one) for one in past.stretches]
    return Series(words, ink, values, say, is_area)
