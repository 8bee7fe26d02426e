"""Charts as SVG, drawn on the server: numbers go in, markup comes out, and whatever text is in it is escaped.

What is stretched to the width there is (lines, areas) is in an inner picture without proportions; texts lie beside it
at percentages, so that no letter is stretched. A stretch that was not sampled is grey, not a zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from markupsafe import Markup

from corral.dashboard.axes import Mark, amount, duration, top_of_amounts, top_of_durations

__all__ = ["UNKNOWN", "Chart", "Series", "chart_svg", "sparkline"]

HIGH: Final = 100
"""Of the inner picture, in units of its own."""
SMALLEST: Final = 1.5
"""What is not nothing shows."""
UNKNOWN: Final = "–"

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or the area under it. None: nobody tells."""

    words: str
    ink: str
    """The name of a colour in the style sheet."""
    values: Values
    say: Callable[[float], str]
    """A value as it is read."""
    is_area: bool = False
    is_rare: bool = False
    """Then it is not drawn where it is 0."""

    @property
    def said(self) -> list[str]:
        """The values as they are read."""
        return [UNKNOWN if value is None else self.say(value) for value in self.values]

    @property
    def last(self) -> str:
        """The last value that is known, as it is read."""
        known = (
            text
            for value, text in zip(reversed(self.values), reversed(self.said), strict=True)
            if value is not None
        )
        return next(known, "–")

    @property
    def most(self) -> str:
        """The largest value, as it is read."""
        known = [value for value in self.values if value is not None]
        return self.say(max(known)) if known else UNKNOWN


@dataclass(frozen=True, slots=True)
class Chart:
    """A few series of one unit over the same time."""

    title: str
    series: tuple[Series, ...]
    are_durations: bool = False

    @property
    def top(self) -> float:
        """Where the axis ends."""
        highest = max((value for one in self.series for value in one.values if value is not None), default=0)
        return top_of_durations(highest) if self.are_durations else top_of_amounts(highest)

    @property
    def summary(self) -> str:
        """In words, for those who do not see it."""
        return "; ".join(f"{one.words}: at most {one.most}, last {one.last}" for one in self.series)


def chart_svg(chart: Chart, along: Sequence[Mark], sampled: Sequence[bool]) -> Markup:
    """The picture of a chart. `sampled`: of each stretch whether anything is known of it."""
    top, said = chart.top, duration if chart.are_durations else amount
    scale = Markup("").join(
        Markup('<text x="34" y="{}" text-anchor="end">{}</text>').format(y, said(value))
        for y, value in ((12, top), (60, top / 2), (108, 0))
    )
    return Markup(
        '<div class="plotted"><svg class="scale" width="40" height="128" aria-hidden="true">{}</svg>'
        '<svg class="chart" role="img" height="128"><title>{}</title><desc>{}</desc>'
        '<svg class="plot" y="8" width="100%" height="96" viewBox="0 0 {} {}" preserveAspectRatio="none">{}{}{}'
        '<line class="cursor" x1="-1" x2="-1" y1="0" y2="100"/></svg>{}</svg></div>'
    ).format(
        scale, chart.title, chart.summary, len(sampled), HIGH, _grid(along, len(sampled)), _gaps(sampled),
        Markup("").join(_drawn(one, top) for one in chart.series),
        Markup("").join(map(_label, along)),
    )  # fmt: skip


def sparkline(series: Sequence[Series], sampled: Sequence[bool], title: str) -> Markup:
    """Lines for a row of a table, without axes: each has the height that the highest of them needs."""
    top = max((value for one in series for value in one.values if value is not None), default=0) or 1
    if not any(sampled):
        return Markup("")
    return Markup(
        '<svg class="chart spark" viewBox="0 -4 {} {}" preserveAspectRatio="none" role="img"><title>{}</title>'
        "{}{}</svg>"
    ).format(
        len(sampled), HIGH + 8, title, _gaps(sampled), Markup("").join(_drawn(one, top) for one in series)
    )


def _grid(along: Sequence[Mark], wide: int) -> Markup:
    level = "".join(f"M0 {y}H{wide}" for y in (0, HIGH // 2))
    upright = "".join(f"M{mark.place * wide:.2f} 0V{HIGH}" for mark in along)
    return Markup('<path class="grid" d="{}"/><path class="axis" d="M0 {}H{}"/>').format(
        level + upright, HIGH, wide
    )


def _gaps(sampled: Sequence[bool]) -> Markup:
    return Markup("").join(
        Markup('<rect class="gap" x="{}" y="0" width="{}" height="{}"/>').format(start, end - start, HIGH)
        for start, end in _runs([None if known else 1 for known in sampled])
    )


def _label(mark: Mark) -> Markup:
    anchor = "start" if mark.place < 0.03 else "end" if mark.place > 0.97 else "middle"
    return Markup('<text x="{}%" y="121" text-anchor="{}">{}</text>').format(
        f"{mark.place * 100:.2f}", anchor, mark.words
    )


def _drawn(series: Series, top: float) -> Markup:
    """The line through the middle of each stretch, level to the outer edges of those beside which nothing is known."""
    lines, areas = [], []
    values = [value or None for value in series.values] if series.is_rare else series.values
    for start, end in _runs(values):
        heights = [_height(value, top) for value in values[start:end] if value is not None]
        through = " ".join(f"L{start + at + 0.5:g} {y:g}" for at, y in enumerate(heights))
        line = f"M{start} {heights[0]:g} {through} L{end} {heights[-1]:g}"
        lines.append(line)
        areas.append(f"{line} V{HIGH} H{start} Z")
    area = (
        Markup('<path class="area ink-{}" d="{}"/>').format(series.ink, "".join(areas))
        if series.is_area
        else ""
    )
    return Markup('{}<path class="line ink-{}" d="{}"/>').format(area, series.ink, "".join(lines))


def _height(value: float, top: float) -> float:
    high = value / top * HIGH
    return round(HIGH - (max(high, SMALLEST) if value else 0), 1)


def _runs(values: Values) -> Iterator[tuple[int, int]]:
    """Where values follow each other without a gap: from which place to before which."""
    for known, run in groupby(enumerate(values), lambda pair: pair[1] is not None):
        places = [place for place, _ in run]
        if known:
            yield places[0], places[-1] + 1
