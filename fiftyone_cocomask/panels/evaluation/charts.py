"""Plotly traces and layouts of the panel's bar charts.

The App gives charts its own colours of text and grid, in both themes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...datasets.evaluations import Histogram
    from .figures import ClassFigures

Trace = dict[str, Any]
Layout = dict[str, Any]

# The App's own orange, and colours that are told from it in both themes.
COLORS = ("#FF6D04", "#3D8EDB", "#8E6FD1", "#2BA58C", "#C9A227")
LINE = "rgba(128, 128, 128, 0.8)"
_FADED = 0.3
# On the x axis: of shares, a share; of areas, a share of a power of ten.
_NARROWEST = 1e-9
_WIDTH_OF_ONE_VALUE = 0.01

# COCO's limits between small, medium and large, in pixels of mask area.
BUCKET_LIMITS = {32**2: "medium ≥ 32²", 96**2: "large ≥ 96²"}
CONFIG = {"displayModeBar": False, "scrollZoom": False, "responsive": True}


def histogram_traces(
    histograms: Sequence[Histogram],
    names: Sequence[str],
    labels: Sequence[Sequence[str]],
    noun: str,
    selected: tuple[int, int] | None,
) -> list[Trace]:
    """Returns the bars of histograms of the same bins, side by side.

    Args:
        histograms: the histograms; on a log scale x is the logarithm
        names: the name of each
        labels: the range of each bar of each
        noun: what they count
        selected: the trace and bar that was clicked on
    """
    several = len(histograms) > 1
    traces = []
    for trace, (histogram, name, texts) in enumerate(
        zip(histograms, names, labels, strict=True)
    ):
        places = _places(histogram, trace, len(histograms))
        says = "%{hovertext}<br>%{y:,} " + noun
        traces.append(
            {
                "type": "bar",
                "name": name,
                "x": [(low + high) / 2 for low, high in places],
                "width": [high - low for low, high in places],
                "y": list(histogram.counts),
                "hovertext": list(texts),
                "hovertemplate": f"{says}{f'<br>{name}' if several else ''}"
                "<extra></extra>",
                "marker": _marker(trace, len(places), selected),
            }
        )
    return traces


def histogram_layout(
    histograms: Sequence[Histogram],
    title: str,
    noun: str,
    *,
    is_share: bool,
) -> Layout:
    """Returns the axes of histograms, with COCO's limits where they are of areas."""
    layout = _layout(legend=len(histograms) > 1)
    highest = max((max(h.counts, default=0) for h in histograms), default=0)
    layout["bargap"] = 0
    layout["barmode"] = "overlay"
    layout["yaxis"] |= {
        "title": {"text": noun.capitalize()},
        # Room for the names of COCO's buckets above the bars.
        "range": [0, max(highest, 1) * (1.05 if is_share else 1.25)],
        "tickformat": ",d",
    }
    if highest < 5:
        layout["yaxis"]["dtick"] = 1
    layout["xaxis"] |= {"title": {"text": title}}
    histogram = histograms[0]
    if histogram.scale == "log":
        layout["xaxis"] |= _log_ticks(histogram, is_share=is_share)
        if not is_share:
            layout |= _bucket_limits(histogram)
    elif is_share and histogram.counts:
        span = _visible_width(histogram.edges[-1] - histogram.edges[0])
        layout["xaxis"] |= {"tickformat": _share_format(span)}
    return layout


def class_traces(
    figures: ClassFigures, selected: tuple[int, int] | None
) -> list[Trace]:
    """Returns horizontal bars, those of the first class on top."""
    return [
        {
            "type": "bar",
            "orientation": "h",
            "name": bars.label,
            "y": list(range(len(figures.names))),
            "x": bars.values,
            "hovertext": bars.texts,
            "hovertemplate": "%{hovertext}<extra></extra>",
            "marker": _marker(trace, len(figures.names), selected),
        }
        for trace, bars in enumerate(figures.bars)
    ]


def class_layout(figures: ClassFigures) -> Layout:
    """Returns the axes of :func:`class_traces`."""
    layout = _layout(legend=len(figures.bars) > 1)
    layout["bargap"] = 0.25
    layout["xaxis"] |= {"title": {"text": figures.title}, "rangemode": "tozero"}
    if figures.is_share:
        layout["xaxis"]["tickformat"] = _share_format(_highest(figures))
    layout["yaxis"] |= {
        "autorange": "reversed",
        "tickvals": list(range(len(figures.names))),
        "ticktext": [_shortened(name) for name in figures.names],
        # Room between the names and the bars.
        "ticks": "outside",
        "ticklen": 6,
        "tickcolor": "rgba(0, 0, 0, 0)",
        "showgrid": False,
        "zeroline": False,
    }
    return layout


def class_height(figures: ClassFigures) -> int:
    """Returns the height of the chart of classes in pixels."""
    bars = len(figures.bars)
    row = 30 if bars == 1 else 14 * bars + 10
    return row * len(figures.names) + (60 if bars == 1 else 86)


def log_ticks(low: float, high: float) -> dict[float, str]:
    """Returns the ticks between two logarithms of areas, base 10, and their text.

    A long axis has a tick at each power, a shorter one at 2 and 5 times each power
    too. Where that could be a single one, they are those of a linear axis.
    """
    if high - low <= 0.7:
        areas = _round_numbers(10**low, 10**high)
    else:
        steps = (1,) if high - low > 3 else (1, 2, 5)
        powers = range(math.floor(low), math.ceil(high) + 1)
        areas = [step * 10.0**power for power in powers for step in steps]
    ticks = {math.log10(area): _short_number(area) for area in areas}
    return {tick: text for tick, text in ticks.items() if low <= tick <= high}


def base_layout(*, legend: bool = False) -> Layout:
    """Returns what all charts have in common."""
    return _layout(legend=legend)


def _layout(*, legend: bool) -> Layout:
    layout: Layout = {
        "dragmode": False,
        "hovermode": "closest",
        "margin": {"t": 8, "l": 48, "r": 12, "b": 8, "pad": 0},
        "font": {"size": 12},
        "xaxis": {"fixedrange": True, "automargin": True},
        "yaxis": {"fixedrange": True, "automargin": True},
    }
    for axis in ("xaxis", "yaxis"):
        layout[axis]["title"] = {"font": {"size": 12}}
    if legend:
        layout["showlegend"] = True
        layout["margin"]["t"] = 28
        layout["legend"] = {
            "orientation": "h",
            "x": 0,
            "y": 1,
            "yanchor": "bottom",
            "traceorder": "normal",
            "itemclick": False,
            "itemdoubleclick": False,
        }
    return layout


def _places(histogram: Histogram, trace: int, traces: int) -> list[tuple[float, float]]:
    """Returns where each bar begins and ends on the x axis."""
    found = []
    for bar in range(len(histogram.counts)):
        low, high = _bin(histogram, bar)
        gap, width = 0.03 * (high - low), 0.94 * (high - low) / traces
        begin = low + gap + trace * width
        found.append((begin, begin + width))
    return found


def _bin(histogram: Histogram, bar: int) -> tuple[float, float]:
    """Returns where a bin begins and ends on the x axis."""
    low, high = histogram.edges[bar], histogram.edges[bar + 1]
    is_log = histogram.scale == "log"
    if is_log and low == 0:
        return _zero_place(histogram)
    begin, end = (math.log10(low), math.log10(high)) if is_log else (low, high)
    middle, half = (begin + end) / 2, _visible_width(end - begin) / 2
    return middle - half, middle + half


def _visible_width(width: float) -> float:
    """Returns the width of a bar, also where it is of a single value."""
    return width if width > _NARROWEST else _WIDTH_OF_ONE_VALUE


def _has_only_zeros(histogram: Histogram) -> bool:
    """Whether a histogram on a log scale has no bin but that of zeros."""
    return len(histogram.counts) == 1 and histogram.edges[0] == 0


def _zero_place(histogram: Histogram) -> tuple[float, float]:
    """Returns the place of the zeros, which have no logarithm: left of all others."""
    first, last = _log_range(histogram)
    width = max(last - first, 0.3) / max(len(histogram.counts) - 1, 1)
    return first - 2 * width, first - width


def _log_range(histogram: Histogram) -> tuple[float, float]:
    if _has_only_zeros(histogram):
        return 0.0, 0.0
    positive = [edge for edge in histogram.edges if edge > 0]
    return math.log10(positive[0]), math.log10(positive[-1])


def _log_ticks(histogram: Histogram, *, is_share: bool) -> Layout:
    first, last = _log_range(histogram)
    ticks = {} if _has_only_zeros(histogram) else log_ticks(first, last)
    if is_share:
        ticks = {tick: f"{100 * 10**tick:.3g}%" for tick in ticks}
    if histogram.edges[0] == 0:
        low, high = _zero_place(histogram)
        ticks = {tick: text for tick, text in ticks.items() if tick > high}
        ticks[(low + high) / 2] = "0"
    return {
        "tickvals": list(ticks),
        "ticktext": list(ticks.values()),
        "zeroline": False,
        "showgrid": False,
    }


def _share_format(span: float) -> str:
    """Returns Plotly's format of shares that tells the ticks of an axis apart."""
    if span <= 0:
        return ".0%"
    # Plotly puts up to ten ticks on an axis; two of the digits are those of a percent.
    return f".{max(0, -math.floor(math.log10(span / 10)) - 2)}%"


def _round_numbers(low: float, high: float) -> list[float]:
    """Returns 1, 2 or 5 times a power of ten and its multiples, three to nine."""
    if low == high:
        return [low]
    widest = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(widest))
    step = max(times * power for times in (1, 2, 5) if times * power <= widest)
    return [n * step for n in range(math.ceil(low / step), int(high / step) + 1)]


def _short_number(number: float) -> str:
    """Returns ``500``, ``2k`` or ``12.5M``."""
    for unit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= unit:
            return f"{number / unit:.4g}{letter}"
    return f"{number:.4g}"


def _bucket_limits(histogram: Histogram) -> Layout:
    shapes: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    first, last = _log_range(histogram)
    for limit, text in BUCKET_LIMITS.items():
        x = math.log10(limit)
        if not first < x < last:
            continue
        line = {"color": LINE, "dash": "dot", "width": 1.5}
        shapes.append(
            {
                "type": "line",
                "x0": x,
                "x1": x,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": line,
            }
        )
        is_right = x > first + 0.75 * (last - first)
        annotations.append(
            {
                "x": x,
                "yref": "paper",
                "y": 1,
                "yanchor": "top",
                "xanchor": "right" if is_right else "left",
                "xshift": -2 if is_right else 2,
                # One below the other: on a long or narrow axis they are close.
                "yshift": -14 * len(annotations),
                "text": text,
                "font": {"size": 11, "color": LINE},
                "showarrow": False,
            }
        )
    return {"shapes": shapes, "annotations": annotations}


def _marker(trace: int, number: int, selected: tuple[int, int] | None) -> Trace:
    opacity: float | list[float] = 1.0
    if selected is not None:
        opacity = [1.0 if selected == (trace, b) else _FADED for b in range(number)]
    return {
        "color": COLORS[trace % len(COLORS)],
        "opacity": opacity,
        "line": {"width": 0},
    }


def _highest(figures: ClassFigures) -> float:
    return max((max(bars.values, default=0.0) for bars in figures.bars), default=0.0)


def _shortened(name: str, length: int = 24) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
