"""Plotly traces and layouts of the panel's charts.

The App gives charts its own colours of text and grid, in both themes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..datasets.evaluations import Histogram

Trace = dict[str, Any]
Layout = dict[str, Any]

ACCENT = "#FF6D04"
_FADED = "rgba(255, 109, 4, 0.35)"
_LINE = "rgba(128, 128, 128, 0.8)"
MAX_CLASSES = 30

# COCO's limits between small, medium and large, in pixels of mask area.
_BUCKET_LIMITS = (32**2, 96**2)
CONFIG = {"displayModeBar": False, "scrollZoom": False, "responsive": True}


def histogram_trace(histogram: Histogram, selected: int | None, noun: str) -> Trace:
    """Returns the bars of a histogram; on a log scale x is the logarithm."""
    places = [_place(histogram, bar) for bar in range(len(histogram.counts))]
    return {
        "type": "bar",
        "x": [(low + high) / 2 for low, high in places],
        "width": [(high - low) * 0.94 for low, high in places],
        "y": list(histogram.counts),
        "text": histogram.bar_labels(),
        "textposition": "none",
        "hovertemplate": "%{text}<br>%{y:,} " + noun + "<extra></extra>",
        "marker": {"color": _colors(len(places), selected)},
    }


def histogram_layout(histogram: Histogram, title: str, noun: str) -> Layout:
    """Returns the axes of a histogram, with COCO's limits on a log scale."""
    layout = _layout()
    layout["bargap"] = 0
    layout["yaxis"] |= {"title": {"text": noun.capitalize()}, "rangemode": "tozero"}
    layout["xaxis"] |= {"title": {"text": title}}
    if histogram.scale == "log":
        layout |= _bucket_limits(histogram)
        layout["xaxis"] |= _log_ticks(histogram)
    elif not histogram.is_integer:
        layout["xaxis"] |= {"tickformat": ".0%"}
    return layout


def class_trace(
    names: list[str], values: list[float], texts: list[str], selected: int | None
) -> Trace:
    """Returns a horizontal bar per class, the first one on top."""
    return {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(names))),
        "x": values,
        "text": texts,
        "textposition": "none",
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": _colors(len(names), selected)},
    }


def class_layout(names: list[str], title: str, *, is_share: bool) -> Layout:
    """Returns the axes of :func:`class_trace`."""
    layout = _layout()
    layout["xaxis"] |= {"title": {"text": title}, "rangemode": "tozero"}
    if is_share:
        layout["xaxis"]["tickformat"] = ".0%"
    layout["yaxis"] |= {
        "autorange": "reversed",
        "tickvals": list(range(len(names))),
        "ticktext": [_shortened(name) for name in names],
        "showgrid": False,
        "zeroline": False,
    }
    return layout


def _layout() -> Layout:
    return {
        "dragmode": False,
        "hovermode": "closest",
        "margin": {"t": 8, "l": 48, "r": 12, "b": 8, "pad": 0},
        "font": {"size": 12},
        "xaxis": {"fixedrange": True, "automargin": True},
        "yaxis": {"fixedrange": True, "automargin": True},
    }


def _place(histogram: Histogram, bar: int) -> tuple[float, float]:
    """Returns where a bar begins and ends on the x axis."""
    low, high = histogram.edges[bar], histogram.edges[bar + 1]
    if histogram.scale != "log":
        return float(low), float(high)
    if low == 0:
        return _zero_place(histogram)
    return math.log10(low), math.log10(high)


def _zero_place(histogram: Histogram) -> tuple[float, float]:
    """Returns the place of the zeros, which have no logarithm: left of all others."""
    positive = [edge for edge in histogram.edges if edge > 0]
    first, last = math.log10(positive[0]), math.log10(positive[-1])
    width = max(last - first, 0.3) / max(len(histogram.counts) - 1, 1)
    return first - 2 * width, first - width


def _log_ticks(histogram: Histogram) -> Layout:
    positive = [edge for edge in histogram.edges if edge > 0]
    powers = range(
        math.floor(math.log10(positive[0])), math.ceil(math.log10(positive[-1])) + 1
    )
    ticks = {float(power): _power(power) for power in powers}
    if histogram.edges[0] == 0:
        low, high = _zero_place(histogram)
        ticks = {p: text for p, text in ticks.items() if p > high}
        ticks[(low + high) / 2] = "0"
    return {
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "zeroline": False,
        "showgrid": False,
    }


def _power(power: int) -> str:
    if power < 3:
        return f"{10**power:,}" if power >= 0 else f"{10.0**power:g}"
    return f"{10 ** (power % 3)}{'kMGT'[power // 3 - 1]}"


def _bucket_limits(histogram: Histogram) -> Layout:
    shapes, annotations = [], []
    lowest = min(edge for edge in histogram.edges if edge > 0)
    for limit, text in zip(_BUCKET_LIMITS, ("32²", "96²"), strict=True):
        if lowest < limit < histogram.edges[-1]:
            x = math.log10(limit)
            shapes.append(
                {
                    "type": "line",
                    "x0": x,
                    "x1": x,
                    "yref": "paper",
                    "y0": 0,
                    "y1": 1,
                    "line": {"color": _LINE, "dash": "dot", "width": 1.5},
                }
            )
            annotations.append(
                {
                    "x": x,
                    "yref": "paper",
                    "y": 1,
                    "yanchor": "top",
                    "xanchor": "left",
                    "text": text,
                    "showarrow": False,
                }
            )
    return {"shapes": shapes, "annotations": annotations}


def _colors(number: int, selected: int | None) -> list[str]:
    if selected is None:
        return [ACCENT] * number
    return [ACCENT if bar == selected else _FADED for bar in range(number)]


def _shortened(name: str, length: int = 24) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
