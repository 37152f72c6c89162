"""The section that holds the areas that the export states against the masks'."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....errors import CocoMaskError
from ... import elements
from ..shown import Click, Found, Part, Shown, chart_of
from . import area_map
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import AreaResults, MaskEvaluation


class StatedAreas(Section):
    """A heat map for each area evaluation, where labels state an area."""

    name = "stated_areas"

    def read(self, shown: Shown) -> Found:
        """Returns the bins of each map."""
        maps = (self._read(evaluation, shown) for evaluation in shown.evaluations)
        return [found for found in maps if found is not None]

    def _read(self, evaluation: MaskEvaluation, shown: Shown) -> Found | None:
        from ....datasets.evaluations.stated_area_bins import annotated_bins

        bins = annotated_bins(evaluation, shown.samples)
        if not bins.counts:
            return None
        sums = _areas(shown, evaluation.key).annotated_areas(shown.samples)
        return {
            "element": self.element(evaluation.key),
            "key": evaluation.key,
            "bins": bins.to_dict(),
            "text": sums["text"],
            "in_other_bucket": sums["in_other_bucket"],
        }

    def add(self, page: Page, found: Found) -> None:
        """Adds the maps."""
        for chart in found:
            self._add(page, chart, several=len(found) > 1)

    def _add(self, page: Page, chart: Found, *, several: bool) -> None:
        from ....datasets.evaluations.stated_area_bins import AnnotatedBins

        element, key, content = chart["element"], chart["key"], page.content
        of_key = f", {key}" if several else ""
        title = f"Stated area against mask area{of_key}"
        elements.heading(content, element, title, chart["text"])
        number = chart["in_other_bucket"]
        if number:
            row = content.grid(f"{element}_links", orientation="2d", gap=1)
            label = f"In another size bucket: {number:,}"
            params = self.params(key=key)
            elements.button(row, "other", label, page.panel.click, params)
        bins = AnnotatedBins.from_dict(chart["bins"])
        place = page.place_in(self, element)
        elements.chart(
            content,
            element,
            [area_map.area_map_trace(bins)],
            area_map.area_map_layout(bins, (place[0], place[1]) if place else None),
            area_map.HEIGHT,
            page.panel.click,
        )

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the objects of a cell, or those in another size bucket."""
        from ....datasets.evaluations.stated_area_bins import (
            AnnotatedBins,
            annotated_bin_view,
            bin_of,
            other_bucket_view,
        )

        samples = shown.measured
        if "key" in click.params:
            evaluation = _areas(shown, click.params["key"])
            text = "objects whose stated area is in another size bucket"
            return Part(other_bucket_view(evaluation, samples), text, ["other"])
        chart = chart_of(found, click.element)
        evaluation = _areas(shown, chart["key"])
        stated, mask = bin_of(click.params["x"]), bin_of(click.params["y"])
        text = area_map.range_text(AnnotatedBins.from_dict(chart["bins"]), stated, mask)
        view = annotated_bin_view(evaluation, samples, stated, mask)
        return Part(view, text, [click.element, stated, mask])


def _areas(shown: Shown, key: str) -> AreaResults:
    from ....datasets.evaluations import AreaResults

    evaluation = shown.evaluation(key)
    if isinstance(evaluation, AreaResults):
        return evaluation
    raise CocoMaskError(f"'{key}' is not the key of an area evaluation")
