"""The tables of the mask inspector: areas, hidden objects, issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone.operators.types as types

from ..elements import OnEvent
from ..text import share

if TYPE_CHECKING:
    from ...datasets.inspection.result import SampleInspection

_MAX_ROWS = 100
_ACTIONS = {
    "kept": "kept as it is",
    "repaired": "repaired",
    "box_only": "box kept",
    "dropped": "not imported",
}


def add_classes(found: SampleInspection, content: types.Object) -> None:
    """Adds the area of each class."""
    if not found.classes:
        return
    with_objects = any(area.objects is not None for area in found.classes)
    rows = []
    for area in found.classes[:_MAX_ROWS]:
        row = {"name": area.name}
        if with_objects:
            row["objects"] = _number(area.objects)
        pixels = area.px if area.visible_px is None else area.visible_px
        row |= {"px": _number(pixels), "share": share(area.ratio)}
        rows.append(row)
    columns = {
        "name": "Class",
        "objects": "Objects",
        "px": "Area px",
        "share": "% of image",
    }
    if not with_objects:
        del columns["objects"]
    _add_table(content, "classes", "Area by class", columns, rows, len(found.classes))


def add_objects(
    found: SampleInspection, content: types.Object, on_click: OnEvent
) -> None:
    """Adds the area of each object, those that a search has flagged first.

    Args:
        found: what there is to see
        content: where it is added
        on_click: what a click on a row does
    """
    if not found.objects:
        return
    with_issues = any(item.issues for item in found.objects)
    rows = [
        {
            "name": item.name,
            **({"issues": _issue_names(item.issues)} if with_issues else {}),
            "label": item.label,
            "px": _number(item.px),
            "visible": _number(item.visible_px),
            "share": share(item.ratio) if item.px is not None else "–",
        }
        for item in found.objects[:_MAX_ROWS]
    ]
    columns = {
        "name": "Object",
        **({"issues": "Issue"} if with_issues else {}),
        "label": "Class",
        "px": "Area px",
        "visible": "Visible px",
        "share": "% of image",
    }
    _add_table(
        content,
        "objects",
        "Area by object",
        columns,
        rows,
        len(found.objects),
        text_columns=3 if with_issues else 2,
        on_click_row=on_click,
    )


def _issue_names(issues: tuple[str, ...]) -> str:
    return ", ".join(issue.replace("_", " ") for issue in issues) or "–"


def add_hidden(found: SampleInspection, content: types.Object) -> None:
    """Adds the objects without a visible pixel, if there are any."""
    if not found.hidden:
        return
    rows = [
        {
            "name": item.name,
            "label": item.label,
            "px": _number(item.px),
            "why": "under other objects" if item.px else "covers no pixel",
        }
        for item in found.hidden[:_MAX_ROWS]
    ]
    columns = {"name": "Object", "label": "Class", "why": "Why", "px": "Area px"}
    _add_table(
        content,
        "hidden",
        "Hidden objects",
        columns,
        rows,
        len(found.hidden),
        text_columns=3,
    )


def add_issues(found: SampleInspection, content: types.Object) -> None:
    """Adds what the import found wrong, if anything."""
    if not found.issues:
        return
    rows = [
        {
            "severity": issue.severity,
            "about": (
                "image"
                if issue.annotation_id is None
                else f"annotation {issue.annotation_id}"
            ),
            "message": issue.message,
            "action": _ACTIONS.get(issue.action or "", "–"),
        }
        for issue in found.issues[:_MAX_ROWS]
    ]
    columns = {
        "severity": "Severity",
        "about": "About",
        "message": "What was found",
        "action": "What was done",
    }
    _add_table(
        content,
        "issues",
        "Issues of the import",
        columns,
        rows,
        len(found.issues),
        text_columns=4,
    )


def _add_table(
    content: types.Object,
    name: str,
    title: str,
    columns: dict[str, str],
    rows: list[dict[str, str]],
    number: int,
    *,
    text_columns: int = 1,
    on_click_row: OnEvent | None = None,
) -> None:
    """Adds a heading and a table whose columns behind the first ones are numbers."""
    omitted = f"The first {_MAX_ROWS:,} of {number:,}" if number > _MAX_ROWS else None
    content.view(
        f"{name}_heading", types.HeaderView(label=f"**{title}**", description=omitted)
    )
    numbers = f"&:nth-of-type(n+{text_columns + 1})"
    cell = {
        "fontSize": "0.85rem",
        "padding": "4px 10px",
        "verticalAlign": "top",
        numbers: {"textAlign": "right", "fontVariantNumeric": "tabular-nums"},
    }
    body = {**cell, "cursor": "pointer"} if on_click_row else cell
    table = types.TableView(
        on_click_row=on_click_row,
        componentsProps={
            "table": {"sx": {"minWidth": 0}},
            "tableHeadCell": {"sx": {**cell, "color": "text.secondary"}},
            # A name without a space must not push the numbers out.
            "tableBodyCell": {"sx": {**body, "overflowWrap": "anywhere"}},
        },
    )
    for key, label in columns.items():
        table.add_column(key, label=label)
    content.list(name, types.Object(), default=rows, view=table)


def _number(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
