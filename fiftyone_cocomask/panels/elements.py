"""Elements of the panels' layouts: headings, cards, charts, tables, buttons."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import fiftyone.operators.types as types

from ..operators.markdown import plain, plain_lines
from . import charts

_BORDER = "1px solid var(--fo-palette-divider)"
_SMALL = {"fontSize": "0.8125rem", "lineHeight": 1.4}
_CARD: dict[str, Any] = {
    "border": _BORDER,
    "borderRadius": "6px",
    "padding": "8px 12px",
    "height": "100%",
    "boxSizing": "border-box",
    "background": "var(--fo-palette-background-level2)",
    "alignItems": "flex-start",
    "justifyContent": "flex-start",
    "& .MuiTypography-body2 p": _SMALL,
}
# A card that leads to samples is a button: a number in the first line, in orange.
_CARD_BUTTON = {
    **_CARD,
    "width": "100%",
    "textAlign": "left",
    "fontWeight": "normal",
    "boxShadow": "none",
    "&:hover": {
        "borderColor": "primary.main",
        "background": "var(--fo-palette-background-level1)",
        "boxShadow": "none",
    },
    "& p": {
        **_SMALL,
        "whiteSpace": "pre-line",
        "color": "text.secondary",
        "&::first-line": {
            "fontSize": "1rem",
            "fontWeight": "bold",
            "color": "var(--fo-palette-primary-main)",
        },
    },
}
# As many columns as fit, all of one width; in a row, all of one height.
_CARDS = {
    "display": "grid",
    "gridTemplateColumns": "repeat(auto-fill, minmax(116px, 1fr))",
    "alignItems": "stretch",
    "& > *, & > * > *": {"display": "grid"},
}
# Long text in the first column is broken, so that the others stay in sight; a word of
# so many letters is not.
_WHOLE_WORD = 12
_CELL = {
    "fontSize": "0.85rem",
    "padding": "4px 10px",
    "verticalAlign": "top",
}
# A line as wide as the panel.
_FOLD = {
    "width": "100%",
    "justifyContent": "flex-start",
    "textAlign": "left",
    "padding": "6px 4px",
    "color": "text.primary",
    "borderTop": _BORDER,
    "borderRadius": 0,
}
_TITLE = {
    "borderBottom": "2px solid var(--fo-palette-primary-main)",
    "marginTop": "12px",
    "& p": {"fontSize": "1.25rem", "fontWeight": "bold"},
}
NATURAL_WIDTH = {"item": {"sx": {"width": "auto", "maxWidth": "100%"}}}
OnEvent = Callable[[Any], None]


def column(content: types.Object, **style: str) -> types.Property:
    """Returns the layout of a panel: one column, never wider than the panel.

    Args:
        content: what is in it
        style: more of its style, as CSS
    """
    # So nothing but tables scrolls.
    sx = {"gridTemplateColumns": "minmax(0, 1fr)", **style}
    view = types.GridView(
        orientation="vertical",
        align_x="stretch",
        align_y="start",
        gap=2,
        componentsProps={"grid": {"sx": sx}},
    )
    return types.Property(content, view=view)


def heading(
    content: types.Object, name: str, label: str, description: str | None = None
) -> None:
    """Adds a heading."""
    content.view(
        f"{name}_heading",
        types.HeaderView(
            label=f"**{plain(label)}**",
            description=plain(description) if description else None,
        ),
    )


def cards(content: types.Object, name: str) -> types.Object:
    """Adds a grid for cards."""
    return content.grid(
        name, orientation="2d", gap=1, componentsProps={"grid": {"sx": _CARDS}}
    )


def card(grid: types.Object, name: str, number: str, what: str) -> None:
    """Adds a card with a number, or two to compare, and what it is."""
    grid.view(
        name,
        types.HeaderView(
            label=f"**{number}**",
            description=plain_lines(what),
            componentsProps={"container": {"sx": _CARD}},
        ),
    )


def card_button(
    grid: types.Object,
    name: str,
    number: str,
    what: str,
    on_click: OnEvent,
    params: dict[str, Any],
    *,
    is_selected: bool = False,
) -> None:
    """Adds a card that leads to samples."""
    style: dict[str, Any] = dict(_CARD_BUTTON)
    if is_selected:
        style["borderColor"] = "primary.main"
    grid.btn(
        name,
        label=f"{number}\n{what}",
        on_click=on_click,
        params=params,
        componentsProps={"button": {"sx": style}},
    )


def button(
    row: types.Object,
    name: str,
    label: str,
    on_click: OnEvent,
    params: dict[str, Any] | None = None,
    *,
    variant: str = "outlined",
    title: str | None = None,
) -> None:
    """Adds a button as wide as its text."""
    row.btn(
        name,
        label=label,
        on_click=on_click,
        params=params or {},
        variant=variant,
        title=title,
        componentsProps={**NATURAL_WIDTH, "button": {"sx": {"whiteSpace": "nowrap"}}},
    )


def dropdown(
    row: types.Object,
    name: str,
    choices: dict[str, str],
    chosen: str,
    on_change: OnEvent,
    description: str,
) -> None:
    """Adds a dropdown as wide as its text."""
    options = types.DropdownView(
        compact=True, description=description, componentsProps=NATURAL_WIDTH
    )
    for value, label in choices.items():
        options.add_choice(value, label=label)
    row.enum(name, options.values(), default=chosen, view=options, on_change=on_change)


def chart(
    content: types.Object,
    name: str,
    traces: list[charts.Trace],
    layout: charts.Layout,
    height: int,
    on_click: OnEvent,
) -> None:
    """Adds a chart.

    Args:
        content: where it is added
        name: its name; one that goes on under it keeps the range of its axes
        traces: Plotly's traces
        layout: Plotly's layout
        height: in pixels
        on_click: what a click on a bar or cell does
    """
    content.plot(
        name,
        # With a unit: a number alone would be a percentage.
        height=f"{height}px",
        data=traces,
        layout=layout,
        config=charts.CONFIG,
        on_click=on_click,
    )


def table(
    content: types.Object,
    name: str,
    rows: list[dict[str, str]],
    on_click_row: OnEvent | None,
    *,
    text_columns: int = 1,
    selected: int | None = None,
    is_broken: bool = False,
) -> None:
    """Adds a table whose columns behind the first ones are numbers.

    Args:
        content: where it is added
        name: its name
        rows: the rows, at least one; their keys are the headings
        on_click_row: what a click on a row does, if anything
        text_columns: how many columns are text
        selected: the row that was clicked on
        is_broken: whether text is broken in all columns, not only in the first: for a
            narrow panel
    """
    columns = list(rows[0])
    numbers = f"&:nth-of-type(n+{text_columns + 1})"
    words = " ".join(str(row[columns[0]]) for row in rows).split()
    letters = min(max(map(len, words), default=0), _WHOLE_WORD)
    cell: dict[str, Any] = {
        **_CELL,
        "&:first-of-type": {
            "overflowWrap": "anywhere",
            "minWidth": f"calc({letters}ch + 20px)",
        },
        numbers: {"textAlign": "right", "fontVariantNumeric": "tabular-nums"},
    }
    body = dict(cell)
    if is_broken:
        # A name without a space must not push the numbers out.
        body["overflowWrap"] = "anywhere"
    else:
        body["&:not(:first-of-type)"] = {"whiteSpace": "nowrap"}
    row: dict[str, Any] = {"&:last-child td": {"border": 0}}
    if on_click_row is not None:
        body["cursor"] = "pointer"
        row["&:hover td"] = {"background": "var(--fo-palette-background-level1)"}
    if selected is not None:
        row[f"&:nth-of-type({selected + 1}) td"] = {
            "background": "var(--fo-palette-background-level1)",
            "color": "var(--fo-palette-primary-main)",
        }
    view = types.TableView(
        on_click_row=on_click_row,
        componentsProps={
            "table": {"sx": {"minWidth": 0}},
            "tableHeadCell": {"sx": {**cell, "color": "text.secondary"}},
            "tableBodyCell": {"sx": body},
            "tableBodyRow": {"sx": row},
        },
    )
    for index, label in enumerate(columns):
        view.add_column(f"c{index}", label=label)
    keyed = [
        {f"c{index}": found[label] for index, label in enumerate(columns)}
        for found in rows
    ]
    content.list(name, types.Object(), default=keyed, view=view)


def fold(
    content: types.Object,
    name: str,
    title: str,
    on_click: OnEvent,
    params: dict[str, Any],
    *,
    is_open: bool,
) -> None:
    """Adds the line that opens a part of a panel, or folds it again."""
    content.btn(
        name,
        label=f"{'▾' if is_open else '▸'} {title}",
        on_click=on_click,
        params=params,
        variant="text",
        componentsProps={"button": {"sx": _FOLD}},
    )


def title(content: types.Object, name: str, label: str) -> None:
    """Adds the title of several parts of a panel."""
    content.view(
        f"{name}_title",
        types.HeaderView(
            label=plain(label), componentsProps={"container": {"sx": _TITLE}}
        ),
    )
