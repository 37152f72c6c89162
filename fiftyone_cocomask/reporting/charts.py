"""Plotly's figures of a report, as JSON holds them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .page import Chart

_COLORS = ("#FF6D04", "#499CEF", "#6D04FF", "#03C04A", "#B9B9B9", "#C70039")
_MARGINS = {"t": 10, "r": 20, "b": 60, "l": 70}


def bars(
    title: str,
    names: Sequence[Any],
    series: Mapping[str, Sequence[float]],
    axes: tuple[str, str],
) -> Chart:
    """Returns a chart of bars, those of one name side by side.

    Args:
        title: what is seen
        names: what the bars are of
        series: the heights, by what they are
        axes: what the horizontal and the vertical axis show
    """
    shown = [plain(str(name)) for name in names]
    data = [
        {
            "type": "bar",
            "name": plain(name),
            "x": shown,
            "y": list(heights),
            "marker": {"color": _COLORS[index % len(_COLORS)]},
        }
        for index, (name, heights) in enumerate(series.items())
    ]
    layout = {
        **_layout(*axes),
        "barmode": "group",
        "showlegend": len(series) > 1,
        "height": 340,
    }
    layout["xaxis"] |= {"type": "category", "automargin": True}
    return Chart(title, {"data": data, "layout": layout})


def heatmap(title: str, shares: np.ndarray) -> Chart:
    """Returns a map of where in the images something lies.

    Args:
        title: what is seen
        shares: an array of shape (n, n) of numbers 0..1, rows from the top
    """
    size = len(shares)
    places = [(place + 0.5) / size for place in range(size)]
    data = [
        {
            "type": "heatmap",
            "x": places,
            "y": places,
            "z": np.round(shares, 4).tolist(),
            "colorscale": "Viridis",
            "zmin": 0,
            "colorbar": {"tickformat": ".0%", "title": {"text": "covered"}},
            "hovertemplate": "%{z:.1%} at %{x:.0%}, %{y:.0%}<extra></extra>",
        }
    ]
    layout = _layout("Share of the width", "Share of the height")
    layout["xaxis"] |= {"tickformat": ".0%", "constrain": "domain"}
    layout["yaxis"] |= {
        "tickformat": ".0%",
        "autorange": "reversed",
        "scaleanchor": "x",
        "constrain": "domain",
    }
    return Chart(title, {"data": data, "layout": {**layout, "height": 420}})


def matrix(title: str, names: Sequence[str], numbers: np.ndarray) -> Chart:
    """Returns a table of numbers as colours, with the same names on both axes.

    Args:
        title: what is seen
        names: n names
        numbers: an array of shape (n, n)
    """
    shown = [plain(name) for name in names]
    data = [
        {
            "type": "heatmap",
            "x": shown,
            "y": shown,
            "z": numbers.tolist(),
            "colorscale": "Blues",
            "reversescale": True,
            "texttemplate": "%{z}" if len(names) <= 20 else "",
            "hovertemplate": "%{y} and %{x}: %{z:,}<extra></extra>",
        }
    ]
    layout = _layout("", "")
    layout["yaxis"] |= {"autorange": "reversed"}
    for axis in ("xaxis", "yaxis"):
        layout[axis] |= {"type": "category", "automargin": True}
    height = min(900, 220 + 24 * len(names))
    return Chart(title, {"data": data, "layout": {**layout, "height": height}})


def plain(text: str) -> str:
    """Returns a text that Plotly shows as it is: it knows some HTML."""
    return html.escape(text, quote=False)


def _layout(across: str, up: str) -> dict[str, Any]:
    return {
        "margin": dict(_MARGINS),
        "xaxis": {"title": {"text": across}},
        "yaxis": {"title": {"text": up}},
        "template": None,
    }
