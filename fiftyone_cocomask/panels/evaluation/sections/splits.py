"""The section that shows the splits side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ....fiftyone_types import SampleCollection
from ... import elements
from ...text import pixels, share
from ..shown import Click, Found, Part, Shown, chart_of
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation

# The figures that a table shows, of those that the evaluation has.
_COLUMNS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("objects", "Objects", "{:,}".format),
    ("mean_area_px_over_objects", "px per object", pixels),
    ("mean_area_px_over_images", "px per image", pixels),
    ("mean_coverage_over_images", "Mean coverage", share),
    ("mean_coverage_over_pixels", "Of all pixels", share),
    ("mean_overlap_over_pixels", "Overlap", share),
)


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
    return [
        {
            "Split": str(row["split"]),
            "Images": f"{row['images']:,}",
            **{title: text(row[n]) for n, title, text in _COLUMNS if n in row},
            "Empty": f"{row['empty_images']:,}",
        }
        for row in evaluation.per_split(samples).to_dict("records")
    ]
