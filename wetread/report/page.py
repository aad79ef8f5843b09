"""The report as one HTML page that fetches and runs nothing, and can be printed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wetread.html_page import render_file

BAR_WIDTH, GAP, HEIGHT = 24, 8, 72
"""Of a histogram's pair of bars and the gap between pairs, and its height, in the picture's own units."""


def render_page(body: Mapping[str, Any]) -> bytes:
    """Return the page of `wetread.report.body.report_body`; what is in it is shown as text, whatever it holds."""
    of = body["schedule"] if body["run"] is None else f"run {body['run']}"
    values = {**body, "title": f"wetread report: {of}", "histogram": histogram, "height": HEIGHT}
    filters = {"percent": _percent, "points": _points, "count": _count, "figure": _figure, "span": _span}
    return render_file("wetread.report", "page.html", values, filters)


def histogram(drift: Mapping[str, Any]) -> dict[str, Any]:
    """Return the bars of a drift's bins: pairs of the reference's share and the run's, and the picture's width."""
    bins, bars = drift["bins"], []
    shares = [
        (_share(one["reference"], drift["reference_films"]), _share(one["films"], drift["films"])) for one in bins
    ]
    highest = max((share for pair in shares for share in pair), default=0.0) or 1.0
    for number, (one, pair) in enumerate(zip(bins, shares, strict=True)):
        for side, share in enumerate(pair):
            tall = round(HEIGHT * share / highest, 1)
            bars.append(
                {
                    "kind": ("reference", "run")[side],
                    "x": number * (BAR_WIDTH + GAP) + side * BAR_WIDTH / 2,
                    "y": HEIGHT - tall,
                    "width": BAR_WIDTH / 2,
                    "height": tall,
                    "said": f"{_figure(one['low'])} to {_figure(one['high'])}: {_percent(share)}",
                }
            )
    return {"width": len(bins) * (BAR_WIDTH + GAP) - GAP if bins else 0, "bars": bars}


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"


def _points(change: float | None) -> str:
    return "-" if change is None else f"{100 * change:+.1f} points"


def _count(number: int) -> str:
    return f"{number:,}"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{seconds:.1f} s"
