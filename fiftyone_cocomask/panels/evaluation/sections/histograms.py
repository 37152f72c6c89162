"""The section of the distributions: areas, coverages, overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....fiftyone_types import SampleCollection
from ... import elements
from ..shown import OBJECTS, Click, Found, Part, Shown, chart_of
from . import histogram_chart
from .section import Page, Section

if TYPE_CHECKING:
    from ....datasets.evaluations import Histogram, MaskEvaluation

_HEIGHT = 250
# What a histogram shows, what its axis says, and whether its numbers are shares.
_QUANTITIES = {
    "area": ("Mask area", "Mask area (px)", False),
    "coverage": ("Coverage", "Share of the image that the mask covers", True),
    "overlap": ("Overlap", "Share of the foreground under two or more objects", True),
}


class Histograms(Section):
    """A histogram for each kind of evaluation, and one of their overlaps."""

    name = "histograms"

    def read(self, shown: Shown) -> Found:
        """Returns the bins of each histogram."""
        found = [self._of_group(group, shown) for group in shown.groups()]
        return [*found, *self._of_overlaps(shown)]

    def _of_group(self, group: list[MaskEvaluation], shown: Shown) -> Found:
        wanted = shown.choices.counted == OBJECTS
        of_labels = wanted and all(e.label_value_path for e in group)
        counts = [
            e.overview_histogram(shown.samples, of_labels=of_labels) for e in group
        ]
        noun = "objects" if of_labels else "images"
        return self._chart(group[0].kind, noun, group, shown.samples, counts)

    def _of_overlaps(self, shown: Shown) -> list[Found]:
        from ....datasets.evaluations.overlap import overlap_histogram

        evaluations = [e for e in shown.evaluations if e.overlap_path is not None]
        if not evaluations:
            return []
        counts = [overlap_histogram(e, shown.samples) for e in evaluations]
        return [self._chart("overlap", "images", evaluations, shown.samples, counts)]

    def _chart(
        self,
        quantity: str,
        noun: str,
        evaluations: Sequence[MaskEvaluation],
        samples: SampleCollection,
        counts: list[Histogram],
    ) -> Found:
        keys = [e.key for e in evaluations]
        return {
            # Each has axes of its own.
            "element": self.element(quantity, noun, *keys),
            "quantity": quantity,
            "noun": noun,
            "keys": keys,
            "can_count_objects": any(e.label_value_path for e in evaluations),
            "histograms": _same_bins(evaluations, samples, counts),
        }

    def add(self, page: Page, found: Found) -> None:
        """Adds the histograms."""
        for chart in found:
            self._add(page, chart)

    def _add(self, page: Page, chart: Found) -> None:
        from ....datasets.evaluations import Histogram

        element, noun = chart["element"], chart["noun"]
        title, axis, is_share = _QUANTITIES[chart["quantity"]]
        elements.heading(page.content, element, f"{title} of {noun}")
        histograms = [Histogram.from_dict(found) for found in chart["histograms"]]
        if not any(histogram.counts for histogram in histograms):
            page.content.md(
                f"None of these {noun} has a number.", name=f"{element}_none"
            )
            return
        labels = [histogram_chart.bar_labels(h, is_share=is_share) for h in histograms]
        place = page.place_in(self, element)
        elements.chart(
            page.content,
            element,
            histogram_chart.histogram_traces(
                histograms,
                chart["keys"],
                labels,
                noun,
                (place[0], place[1]) if place else None,
            ),
            histogram_chart.histogram_layout(histograms, axis, noun, is_share=is_share),
            _HEIGHT,
            page.panel.click,
        )

    def part(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples of a bar."""
        from ....datasets.evaluations import Histogram, histogram_view

        chart = chart_of(found, click.element)
        trace, bar = click.params["trace_idx"], click.params["idx"]
        histogram = Histogram.from_dict(chart["histograms"][trace])
        quantity = chart["quantity"]
        is_share = _QUANTITIES[quantity][2]
        text = histogram_chart.bar_range(histogram, bar, quantity, is_share=is_share)
        if len(chart["keys"]) > 1:
            text += f" in {chart['keys'][trace]}"
        view = histogram_view(shown.measured, histogram, bar)
        return Part(view, text, [click.element, trace, bar])


def _same_bins(
    evaluations: Sequence[MaskEvaluation],
    samples: SampleCollection,
    histograms: list[Histogram],
) -> list[Found]:
    """Returns the histograms with the same bins, so that bars can be compared."""
    from ....datasets.evaluations.same_bins import same_bins

    if len(histograms) == 2 and all(h.counts for h in histograms):
        histograms = same_bins(evaluations, samples, histograms)
    return [histogram.to_dict() for histogram in histograms]
