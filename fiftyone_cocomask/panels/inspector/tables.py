"""The tables of the mask inspector: areas, hidden objects, issues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fiftyone.operators.types as types

from .. import elements
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
        row = {"Class": area.name}
        if with_objects:
            row["Objects"] = _number(area.objects)
        pixels = area.px if area.visible_px is None else area.visible_px
        row |= {"Area px": _number(pixels), "% of image": share(area.ratio)}
        rows.append(row)
    _add_table(content, "classes", "Area by class", rows, len(found.classes))


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
            "Object": item.name,
            **({"Issue": _issue_names(item.issues)} if with_issues else {}),
            "Class": item.label,
            "Area px": _number(item.px),
            "Visible px": _number(item.visible_px),
            "% of image": share(item.ratio) if item.px is not None else "–",
        }
        for item in found.objects[:_MAX_ROWS]
    ]
    _add_table(
        content,
        "objects",
        "Area by object",
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
            "Object": item.name,
            "Class": item.label,
            "Why": "under other objects" if item.px else "covers no pixel",
            "Area px": _number(item.px),
        }
        for item in found.hidden[:_MAX_ROWS]
    ]
    _add_table(
        content,
        "hidden",
        "Hidden objects",
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
            "Severity": issue.severity,
            "About": (
                "image"
                if issue.annotation_id is None
                else f"annotation {issue.annotation_id}"
            ),
            "What was found": issue.message,
            "What was done": _ACTIONS.get(issue.action or "", "–"),
        }
        for issue in found.issues[:_MAX_ROWS]
    ]
    _add_table(
        content,
        "issues",
        "Issues of the import",
        rows,
        len(found.issues),
        text_columns=4,
    )


def _add_table(
    content: types.Object,
    name: str,
    title: str,
    rows: list[dict[str, str]],
    number: int,
    *,
    text_columns: int = 1,
    on_click_row: OnEvent | None = None,
) -> None:
    """Adds a heading and a table whose columns behind the first ones are numbers."""
    omitted = f"The first {_MAX_ROWS:,} of {number:,}" if number > _MAX_ROWS else None
    elements.heading(content, name, title, omitted)
    elements.table(
        content,
        name,
        rows,
        on_click_row,
        text_columns=text_columns,
        is_broken=True,
    )


def _number(number: int | None) -> str:
    return "–" if number is None else f"{number:,}"
