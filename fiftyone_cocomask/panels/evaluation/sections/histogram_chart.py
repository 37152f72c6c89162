"""Plotly traces and layouts of histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...charts import (
    BUCKET_LIMITS,
    LINE,
    Layout,
    Trace,
    bar_marker,
    base_layout,
    log_ticks,
    share_format,
)

if TYPE_CHECKING:
    from ....datasets.evaluations import Histogram

# On the x axis: of shares, a share; of areas, a share of a power of ten.
_NARROWEST = 1e-9
_WIDTH_OF_ONE_VALUE = 0.01


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
                "marker": bar_marker(trace, len(places), selected),
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
    layout = base_layout(legend=len(histograms) > 1)
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
        layout["xaxis"] |= {"tickformat": share_format(span)}
    return layout


def bar_range(histogram: Histogram, bar: int, what: str, *, is_share: bool) -> str:
    """Returns what a bar counts: ``area 100 – 199 px``."""
    label = bar_labels(histogram, is_share=is_share)[bar]
    return f"{what} {label}" if is_share else f"{what} {label} px"


def bar_labels(histogram: Histogram, *, is_share: bool) -> list[str]:
    """Returns the range of each bar, of shares in percent."""
    if not is_share:
        return histogram.bar_labels()
    bounds = zip(histogram.edges[:-1], histogram.edges[1:], strict=True)
    ends = [(_percent(low), _percent(high)) for low, high in bounds]
    labels = [low if low == high else f"{low} – {high}" for low, high in ends]
    has_zeros = histogram.scale == "log" and histogram.edges[:1] == (0,)
    return ["0%", *labels[1:]] if has_zeros else labels


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


def _percent(number: float) -> str:
    return f"{100 * number:.3g}%"
