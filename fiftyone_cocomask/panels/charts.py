"""What the panels' Plotly charts have in common: colours, axes, ticks.

The App gives charts its own colours of text and grid, in both themes.
"""

from __future__ import annotations

import math
from typing import Any

from ..limits import MEDIUM_BELOW, SMALL_BELOW

Trace = dict[str, Any]
Layout = dict[str, Any]

# The App's own orange, and colours that are told from it in both themes.
COLORS = ("#FF6D04", "#3D8EDB", "#8E6FD1", "#2BA58C", "#C9A227")
LINE = "rgba(128, 128, 128, 0.8)"
_FADED = 0.3

# COCO's limits between small, medium and large, in pixels of mask area.
BUCKET_LIMITS = {SMALL_BELOW: "medium ≥ 32²", MEDIUM_BELOW: "large ≥ 96²"}
CONFIG = {"displayModeBar": False, "scrollZoom": False, "responsive": True}


def base_layout(*, legend: bool = False) -> Layout:
    """Returns what all charts have in common."""
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


def bar_marker(trace: int, number: int, selected: tuple[int, int] | None) -> Trace:
    """Returns the colour of bars, of which one may be selected."""
    opacity: float | list[float] = 1.0
    if selected is not None:
        opacity = [1.0 if selected == (trace, b) else _FADED for b in range(number)]
    return {
        "color": COLORS[trace % len(COLORS)],
        "opacity": opacity,
        "line": {"width": 0},
    }


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


def share_format(span: float) -> str:
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
