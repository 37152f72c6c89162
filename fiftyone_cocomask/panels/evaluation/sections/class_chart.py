"""Plotly traces and layout of the bars of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...charts import Layout, Trace, bar_marker, base_layout, share_format
from ...text import told_apart

# In pixels: the lowest plot of bars.
_LOWEST = 90


@dataclass(frozen=True, slots=True)
class ClassBars:
    """Bars of the same meaning, one per class.

    Attributes:
        label: their split or evaluation, empty if there are no others
        values: their values
        texts: what is said of each
    """

    label: str
    values: list[float]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One value per class and split or evaluation, the class of most pixels first.

    Attributes:
        names: the classes
        bars: their values
        title: what the values are
        is_share: whether they are shares, 0..1
        omitted: how many classes are not among them
    """

    names: list[str]
    bars: list[ClassBars]
    title: str
    is_share: bool
    omitted: int

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> ClassFigures:
        """Returns what ``dataclasses.asdict`` made a dict of."""
        bars = [ClassBars(**bar) for bar in found["bars"]]
        return cls(**{**found, "bars": bars})


def class_traces(
    figures: ClassFigures,
    selected: tuple[int, int] | None,
    colors: Mapping[str, str] | None = None,
) -> list[Trace]:
    """Returns horizontal bars, those of the first class on top.

    Args:
        figures: the bars
        selected: the trace and bar that was clicked on
        colors: the colours of classes, where there is one bar of each
    """
    traces: list[Trace] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": bars.label,
            "y": list(range(len(figures.names))),
            "x": bars.values,
            "hovertext": bars.texts,
            "hovertemplate": "%{hovertext}<extra></extra>",
            "marker": bar_marker(trace, len(figures.names), selected),
        }
        for trace, bars in enumerate(figures.bars)
    ]
    if colors and len(traces) == 1:
        marker = traces[0]["marker"]
        marker["color"] = [colors.get(n, marker["color"]) for n in figures.names]
    return traces


def class_layout(figures: ClassFigures) -> Layout:
    """Returns the axes of :func:`class_traces`."""
    layout = base_layout(legend=len(figures.bars) > 1)
    layout["bargap"] = 0.25
    layout["xaxis"] |= {"title": {"text": figures.title}, "rangemode": "tozero"}
    if figures.is_share:
        layout["xaxis"]["tickformat"] = share_format(_highest(figures))
    layout["yaxis"] |= {
        "autorange": "reversed",
        "tickvals": list(range(len(figures.names))),
        "ticktext": [escaped(name) for name in told_apart(figures.names)],
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
    # Below a lower plot, its title would be put over its ticks.
    return max(row * len(figures.names), _LOWEST) + (60 if bars == 1 else 86)


def escaped(text: str) -> str:
    """Returns text in which Plotly sees no tags."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _highest(figures: ClassFigures) -> float:
    return max((max(bars.values, default=0.0) for bars in figures.bars), default=0.0)
