"""Charts as SVG, drawn on the server: numbers go in, markup comes out, no text of anybody's in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

__all__ = ["bars", "sparkline"]

WIDTH: Final = 240
HEIGHT: Final = 44


def sparkline(values: Sequence[float], title: str, *, kind: str = "completed") -> Markup:
    """A line with the area below it; nothing where there was nothing. The title says to screen readers and on hovering
    what it is."""
    if not any(values):
        return Markup("")
    highest = max(*values, 1)
    step = WIDTH / max(1, len(values) - 1)
    points = [(at * step, HEIGHT - 3 - value / highest * (HEIGHT - 8)) for at, value in enumerate(values)]
    line = " ".join(f"{'L' if at else 'M'}{x:.1f} {y:.1f}" for at, (x, y) in enumerate(points))
    area = f"{line} L{points[-1][0]:.1f} {HEIGHT} L0 {HEIGHT} Z"
    return Markup(
        '<svg class="chart spark chart-{}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img">'
        '<title>{}</title><path class="area" d="{}"/><path class="line" d="{}"/></svg>'
    ).format(kind, WIDTH, HEIGHT, title, area, line)


def bars(upper: Sequence[float], lower: Sequence[float], title: str) -> Markup:
    """Two rows of bars back to back: what completed stands up, what failed hangs down."""
    if not upper:
        return Markup("")
    wide, high, base = 720, 120, 84
    highest = max(*upper, *lower, 1)
    step = wide / len(upper)
    marks = [Markup('<line class="axis" x1="0" y1="{0}" x2="{1}" y2="{0}"/>').format(base, wide)]
    for at, (good, bad) in enumerate(zip(upper, lower, strict=True)):
        for kind, value, room in (("completed", good, base - 4), ("failed", bad, high - base - 2)):
            if value:
                tall = max(1.5, value / highest * room)
                top = base - tall if kind == "completed" else base
                marks.append(
                    Markup('<rect class="bar-{}" x="{}" y="{}" width="{}" height="{}"/>').format(
                        kind, f"{at * step:.1f}", f"{top:.1f}", f"{max(1, step - 1.5):.1f}", f"{tall:.1f}"
                    )
                )
    return Markup(
        '<svg class="chart bars" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img"><title>{}</title>{}</svg>'
    ).format(wide, high, title, Markup("").join(marks))
