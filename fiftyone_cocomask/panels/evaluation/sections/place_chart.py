"""Plotly traces and layouts of maps: places of images, and classes by something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import charts
from ...text import told_apart
from .class_chart import escaped

PLACES_HEIGHT = 420
# With more names, those of columns would lie on each other.
_MAX_COLUMN_NAMES = 24
_MAX_TEXTS = 24
_CELL = 18
_LITTLE = "#7A6A60"
_GREY = "rgba(128, 128, 128, 0.9)"

Selected = Sequence[int] | None


def places_traces(shares: Sequence[Sequence[float]], color: str) -> list[charts.Trace]:
    """Returns a map of where in the images something lies.

    Args:
        shares: the share of each place that is covered, rows from the top
        color: the colour of what covers it, as ``"#rrggbb"``
    """
    size = len(shares)
    middles = [100 * (place + 0.5) / size for place in range(size)]
    return [
        {
            "type": "heatmap",
            "x": middles,
            "y": middles,
            "z": [[round(100 * share, 3) for share in row] for row in shares],
            "zmin": 0,
            "colorscale": [[0, faded(color, 0.04)], [1, faded(color, 1)]],
            "colorbar": {
                "title": {"text": "covered", "side": "right"},
                "ticksuffix": " %",
                "thickness": 10,
                "outlinewidth": 0,
            },
            "hovertemplate": "%{z:.3~g}% covered<br>at %{x:.0f}% of the width, "
            "%{y:.0f}% of the height<extra></extra>",
        }
    ]


def places_layout(
    centre: dict[str, float] | None, selected: Selected, size: int
) -> charts.Layout:
    """Returns its axes, the centre with an ellipse of the spread, and the place."""
    layout = charts.base_layout()
    layout["margin"] |= {"r": 8}
    for axis, title in (("xaxis", "Width of the image"), ("yaxis", "Height")):
        layout[axis]["title"]["text"] = f"{title} (%)"
        layout[axis] |= {
            "range": [0, 100],
            "constrain": "domain",
            "zeroline": False,
            "showgrid": False,
        }
    layout["yaxis"] |= {"range": [100, 0], "scaleanchor": "x"}
    shapes = []
    if centre is not None:
        x, y = 100 * centre["centre_x"], 100 * centre["centre_y"]
        dx, dy = 100 * centre["spread_x"], 100 * centre["spread_y"]
        shapes.append(_shape("circle", x - dx, x + dx, y - dy, y + dy, dash="dot"))
        shapes += [
            _shape("line", x - 2, x + 2, y, y),
            _shape("line", x, x, y - 2, y + 2),
        ]
    if selected is not None:
        row, column = selected
        step = 100 / size
        place = (column * step, (column + 1) * step, row * step, (row + 1) * step)
        shapes.append(_shape("rect", *place, color=charts.COLORS[1], width=2))
    return layout | {"shapes": shapes}


def place_of(click: Any, size: int) -> tuple[int, int]:
    """Returns the row and column of a place that was clicked on."""
    row, column = (
        min(max(int(float(click[axis]) / 100 * size), 0), size - 1)
        for axis in ("y", "x")
    )
    return row, column


def matrix_traces(
    values: Sequence[Sequence[float | None]],
    texts: Sequence[Sequence[str]],
    says: Sequence[Sequence[str]],
    colors: Sequence[float | None] | None = None,
) -> list[charts.Trace]:
    """Returns a table of numbers as colours, the first row on top.

    Args:
        values: the rows of numbers, which give the colours
        texts: what stands in each cell, where there is room
        says: what is said of each cell
        colors: the least and greatest value of the colours, by default those there are
    """
    columns = len(values[0]) if values else 0
    has_texts = columns <= _MAX_TEXTS
    # White text can be read on the one; the other is pale in either theme.
    little = _LITTLE if has_texts else faded(charts.COLORS[0], 0.25)
    trace: charts.Trace = {
        "type": "heatmap",
        "x": list(range(columns)),
        "y": list(range(len(values))),
        "z": [list(row) for row in values],
        # Nothing is hardly to be seen.
        "colorscale": [
            [0, faded(_LITTLE, 0.12)],
            [1e-6, little],
            [1, charts.COLORS[0]],
        ],
        "showscale": False,
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "hovertext": [[escaped_lines(text) for text in row] for row in says],
        "hovertemplate": "%{hovertext}<extra></extra>",
    }
    trace["zmin"], trace["zmax"] = colors or (0, None)
    if has_texts:
        trace |= {
            "text": [list(row) for row in texts],
            "texttemplate": "%{text}",
            "textfont": {"color": "#FFFFFF"},
        }
    return [trace]


def matrix_layout(
    rows: Sequence[str], columns: Sequence[str], titles: tuple[str, str], at: Selected
) -> charts.Layout:
    """Returns its axes, and a frame around the cell that was clicked on.

    Args:
        rows: the names of the rows
        columns: the names of the columns
        titles: what the columns and the rows are
        at: the row and column of the cell, if any
    """
    layout = charts.base_layout()
    shown = told_apart(list(columns), 16)
    for axis, names, title in (
        ("xaxis", shown, titles[0]),
        ("yaxis", told_apart(list(rows)), titles[1]),
    ):
        layout[axis]["title"]["text"] = title
        layout[axis] |= {
            "tickvals": list(range(len(names))),
            "ticktext": [escaped(name) for name in names],
            "range": [-0.5, len(names) - 0.5],
            "showgrid": False,
            "zeroline": False,
        }
    if len(columns) > _MAX_COLUMN_NAMES:
        layout["xaxis"] |= {"showticklabels": False, "ticks": ""}
    layout["yaxis"]["range"] = [len(rows) - 0.5, -0.5]
    if at is not None:
        row, column = at
        cell = (column - 0.5, column + 0.5, row - 0.5, row + 0.5)
        frame = _shape("rect", *cell, color=charts.COLORS[1], width=2)
        layout["shapes"] = [frame]
    return layout


def matrix_height(rows: int) -> int:
    """Returns the height of a table of colours in pixels."""
    return max(_CELL * rows, 90) + 110


def cell_of(click: Any) -> tuple[int, int]:
    """Returns the row and column of a cell that was clicked on."""
    return round(float(click["y"])), round(float(click["x"]))


def faded(color: str, opacity: float) -> str:
    """Returns a colour ``"#rrggbb"`` as Plotly's with an opacity."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity})"


def escaped_lines(text: str) -> str:
    """Returns text in which Plotly sees no tags, with breaks for its lines."""
    return "<br>".join(map(escaped, text.split("\n")))


def _shape(
    kind: str,
    x0: float,
    x1: float,
    y0: float,
    y1: float,
    *,
    color: str = _GREY,
    width: float = 1.5,
    dash: str = "solid",
) -> dict[str, Any]:
    line = {"color": color, "width": width, "dash": dash}
    return {"type": kind, "x0": x0, "x1": x1, "y0": y0, "y1": y1, "line": line}
