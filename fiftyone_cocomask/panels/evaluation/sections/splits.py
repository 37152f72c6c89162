"""The section that shows the splits side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....fiftyone_types import SampleCollection
from ... import elements
from ...text import pixels, share
from ..shown import Click, Found, Part, Shown, chart_of
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation


class Splits(Section):
    """A table for each evaluation, with a row per split."""

    name = "splits"

    def read(self, shown: Shown) -> Found:
        """Returns the rows of each table."""
        return [
            {
                "element": self.element(evaluation.key),
                "key": evaluation.key,
                "rows": _rows(evaluation, shown.samples),
            }
            for evaluation in shown.evaluations
        ]

    def add(self, page: Page, found: Found) -> None:
        """Adds the tables."""
        for table in found:
            if not table["rows"]:
                continue
            element = table["element"]
            of_key = f", {table['key']}" if len(found) > 1 else ""
            elements.heading(page.content, element, f"By split{of_key}")
            place = page.place_in(self, element)
            elements.table(
                page.content,
                element,
                table["rows"],
                page.panel.click,
                selected=place[0] if place else None,
            )

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples of a split."""
        row = click.params["row"]
        if row < 0:
            return None
        split = chart_of(found, click.element)["rows"][row]["Split"]
        view = split_view(shown.measured, split)
        return Part(view, f"split {split}", [click.element, row])


def split_view(samples: SampleCollection, split: str) -> SampleCollection:
    """Returns the samples of a split as the tables name it."""
    from ....datasets.split_names import split_expression

    return samples.match({"$expr": {"$eq": [split_expression(samples), split]}})


def _rows(
    evaluation: MaskEvaluation, samples: SampleCollection
) -> list[dict[str, str]]:
    columns = {"area": _area_columns, "coverage": _coverage_columns}[evaluation.kind]
    return [
        {
            "Split": str(row["split"]),
            "Images": f"{row['images']:,}",
            **columns(row),
            "Empty": f"{row['empty_images']:,}",
        }
        for row in evaluation.per_split(samples).to_dict("records")
    ]


def _area_columns(row: dict[str, Any]) -> dict[str, str]:
    found = {}
    if "objects" in row:
        found["Objects"] = f"{row['objects']:,}"
        found["px per object"] = pixels(row["mean_area_px_over_objects"])
    found["px per image"] = pixels(row["mean_area_px_over_images"])
    return found


def _coverage_columns(row: dict[str, Any]) -> dict[str, str]:
    found = {
        "Mean coverage": share(row["mean_coverage_over_images"]),
        "Of all pixels": share(row["mean_coverage_over_pixels"]),
    }
    if "mean_overlap_over_pixels" in row:
        found["Overlap"] = share(row["mean_overlap_over_pixels"])
    return found
