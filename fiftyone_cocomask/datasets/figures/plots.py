"""Plotly figures of an evaluation's tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from .histogram import Histogram

if TYPE_CHECKING:
    import pandas as pd

_COLORS = ("#FF6D04", "#499CEF", "#6D04FF", "#03C04A", "#B9B9B9", "#C70039")


def histogram_figure(histogram: Histogram, title: str, what: str) -> go.Figure:
    """Returns the bars of a histogram, each named by its range.

    Args:
        histogram: the histogram
        title: what its values are
        what: what is counted: samples or labels
    """
    figure = go.Figure(
        go.Bar(
            x=histogram.bar_labels(),
            y=list(histogram.counts),
            marker_color=_COLORS[0],
            hovertemplate="%{x}<br>%{y} " + what + "<extra></extra>",
        )
    )
    figure.update_layout(bargap=0.05, margin={"t": 20, "r": 20})
    figure.update_xaxes(title=title, type="category")
    figure.update_yaxes(title=what.capitalize())
    return figure


def class_figure(table: pd.DataFrame, column: str, title: str) -> go.Figure:
    """Returns a bar per class, the greatest first."""
    if not table.empty:
        table = table.sort_values(column, ascending=False)
    names = [] if table.empty else table["class"].tolist()
    values = [] if table.empty else table[column].tolist()
    figure = go.Figure(go.Bar(x=names, y=values, marker_color=_COLORS[1]))
    figure.update_layout(margin={"t": 20, "r": 20})
    figure.update_xaxes(title="Class", type="category")
    figure.update_yaxes(title=title)
    return figure


def split_figure(table: pd.DataFrame, column: str, title: str) -> go.Figure:
    """Returns a bar per class and split, those of a class side by side."""
    figure = go.Figure()
    splits = [] if table.empty else table["split"].unique().tolist()
    for index, split in enumerate(splits):
        rows = table[table["split"] == split]
        figure.add_bar(
            name=str(split),
            x=rows["class"].tolist(),
            y=rows[column].tolist(),
            marker_color=_COLORS[index % len(_COLORS)],
        )
    figure.update_layout(barmode="group", margin={"t": 20, "r": 20})
    figure.update_xaxes(title="Class", type="category")
    figure.update_yaxes(title=title)
    return figure
