"""Plotly trace and layout of stated areas against masks' areas."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ....words import count
from ... import charts

if TYPE_CHECKING:
    from ....datasets.evaluations.stated_area_bins import AnnotatedBins

HEIGHT = 340
_PALE, _FULL = "rgba(255, 109, 4, 0.3)", "rgba(255, 109, 4, 1)"


def area_map_trace(bins: AnnotatedBins) -> charts.Trace:
    """Returns a heat map: the stated area to the right, the mask's upwards."""
    columns, rows = _span(bins.stated), _span(bins.mask)
    counts: dict[tuple[int, int], int] = {
        (mask, stated): count
        for stated, mask, count in zip(bins.stated, bins.mask, bins.counts, strict=True)
    }
    colors, texts = [], []
    for row in rows:
        found = [counts.get((row, column)) for column in columns]
        colors.append([None if n is None else math.log10(n) for n in found])
        texts.append(
            [
                "" if number is None else _text(bins, column, row, number)
                for column, number in zip(columns, found, strict=True)
            ]
        )
    return {
        "type": "heatmap",
        # One more than there are cells: where each begins, and the last one ends.
        "x": [bins.edge(i) for i in range(columns.start, columns.stop + 1)],
        "y": [bins.edge(i) for i in range(rows.start, rows.stop + 1)],
        "z": colors,
        "zmin": 0,
        "zmax": max(math.log10(max(bins.counts)), 0.5),
        "colorscale": [[0, _PALE], [1, _FULL]],
        "showscale": False,
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
    }


def area_map_layout(
    bins: AnnotatedBins, selected: tuple[int, int] | None
) -> charts.Layout:
    """Returns its axes, the line of equal areas and COCO's limits."""
    layout = charts.base_layout()
    low = bins.edge(min(*bins.stated, *bins.mask)) - 0.1
    high = bins.edge(max(*bins.stated, *bins.mask) + 1) + 0.1
    ticks = charts.log_ticks(low, high)
    for axis, title in (("xaxis", "Stated area (px)"), ("yaxis", "Mask area (px)")):
        layout[axis]["title"]["text"] = title
        layout[axis] |= {
            "range": [low, high],
            "tickvals": list(ticks),
            "ticktext": list(ticks.values()),
            "zeroline": False,
        }
    lines = [((low, low), (high, high), "solid")]
    for limit in map(math.log10, charts.BUCKET_LIMITS):
        if low < limit < high:
            lines += [
                ((limit, low), (limit, high), "dot"),
                ((low, limit), (high, limit), "dot"),
            ]
    shapes = [_line(begin, end, dash) for begin, end, dash in lines]
    if selected is not None:
        shapes.append(_frame(bins, *selected))
    return layout | {"shapes": shapes}


def range_text(bins: AnnotatedBins, stated: int, mask: int) -> str:
    """Returns which labels are in a cell."""
    return (
        f"objects of stated area {_range(bins, stated)} px and mask area "
        f"{_range(bins, mask)} px"
    )


def _text(bins: AnnotatedBins, stated: int, mask: int, number: int) -> str:
    return (
        f"{count(number, 'object')}<br>stated {_range(bins, stated)} px<br>"
        f"mask {_range(bins, mask)} px"
    )


def _range(bins: AnnotatedBins, index: int) -> str:
    """Returns the whole numbers of pixels of a bin."""
    low, high = (10 ** bins.edge(end) for end in (index, index + 1))
    if high <= 1:
        return "0"
    first, last = math.ceil(low), math.ceil(high) - 1
    return f"{first:,}" if first >= last else f"{first:,} – {last:,}"


def _span(indices: tuple[int, ...]) -> range:
    return range(min(indices), max(indices) + 1)


def _line(
    begin: tuple[float, float], end: tuple[float, float], dash: str
) -> dict[str, Any]:
    return {
        "type": "line",
        "layer": "below",
        "x0": begin[0],
        "y0": begin[1],
        "x1": end[0],
        "y1": end[1],
        "line": {"color": charts.LINE, "dash": dash, "width": 1},
    }


def _frame(bins: AnnotatedBins, stated: int, mask: int) -> dict[str, Any]:
    return {
        "type": "rect",
        "x0": bins.edge(stated),
        "x1": bins.edge(stated + 1),
        "y0": bins.edge(mask),
        "y1": bins.edge(mask + 1),
        "line": {"color": charts.COLORS[1], "width": 2},
    }
