"""Evaluations as text and as JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..table_rows import records
from ..words import agree, count

if TYPE_CHECKING:
    import pandas as pd

    from ..datasets.evaluations import AreaResults, CoverageResults, MaskEvaluation

_AREA_COLUMNS = {
    "class": "class",
    "images": "images",
    "objects": "objects",
    "small": "small",
    "medium": "medium",
    "large": "large",
    "hidden": "hidden",
    "visible_px": "visible px",
    "mean_area_px_over_objects": "mean area px",
}
_COVERAGE_COLUMNS = {
    "class": "class",
    "images": "images",
    "coverage_over_pixels": "over pixels",
    "mean_coverage_over_images": "over images",
    "mean_coverage_where_present": "where present",
}


def area_text(results: AreaResults) -> str:
    """Returns the areas of the classes, and the totals below them."""
    total = results.summary()
    number = total.get("objects")
    objects = f", {count(number, 'object')}" if number else ""
    return "\n".join(
        [
            f"Mask area {results.key!r}",
            _table(results.per_class(), _AREA_COLUMNS, "{:,.0f}"),
            f"{count(total['images'], 'image')}{objects}, "
            f"{total['foreground_px']:,} px of foreground",
            *_without_number(total),
            *_out_of_date(results),
        ]
    )


def coverage_text(results: CoverageResults) -> str:
    """Returns the coverage of the classes, and the means below them."""
    total = results.summary()
    means = [
        f"{total[key]:.1%} over {what}"
        for key, what in (
            ("mean_coverage_over_images", "images"),
            ("mean_coverage_over_pixels", "pixels"),
        )
        if total[key] is not None
    ]
    return "\n".join(
        [
            f"Mask coverage {results.key!r}",
            _table(results.per_class(), _COVERAGE_COLUMNS, "{:.1%}"),
            f"Mean coverage of {count(total['images'], 'image')}: "
            f"{', '.join(means) or '–'}",
            *_without_number(total),
            *_out_of_date(results),
        ]
    )


def evaluation_data(results: MaskEvaluation) -> dict[str, Any]:
    """Returns the summary, and the tables of classes and splits, as JSON holds them."""
    return {
        "summary": results.summary(),
        "per_class": records(results.per_class(by_split=True)),
        "per_split": records(results.per_split()),
    }


def plain_table(table: pd.DataFrame, number: Callable[[float], str]) -> str:
    """Returns a table as text.

    Args:
        table: the table
        number: writes a number with a fraction
    """
    # pandas formats such numbers alone.
    whole = dict.fromkeys(table.select_dtypes("integer"), "{:,}".format)
    return table.to_string(index=False, formatters=whole, float_format=number)


def _table(table: pd.DataFrame, columns: dict[str, str], number: str) -> str:
    present = {name: label for name, label in columns.items() if name in table}
    if table.empty:
        return "  no class has a pixel"
    return plain_table(table[list(present)].rename(columns=present), number.format)


def _out_of_date(results: MaskEvaluation) -> list[str]:
    changed = results.out_of_date()
    said = [] if changed is None else [f"{changed}; evaluate again"]
    older = results.older_masks()
    if older:
        said.append(f"Masks older than their labels: {older:,}; compute masks again")
    return said


def _without_number(total: dict[str, Any]) -> list[str]:
    number = total["images_without_number"]
    if not number:
        return []
    if not total["without_number"]:
        have = agree(number, "has", "have")
        return [f"{count(number, 'image')} {have} not been measured yet"]
    first = total["without_number"][0]
    return [
        f"{count(number, 'image')} could not be measured; the first is "
        f"{first['filepath']}: {first['reason']}"
    ]
