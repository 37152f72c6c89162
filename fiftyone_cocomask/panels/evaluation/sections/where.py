"""The section that shows where in the images the classes lie."""

from __future__ import annotations

import numpy as np

from ....operators.markdown import plain
from ....words import count
from ... import elements
from ...text import share
from ..shown import Click, Found, Part, Shown
from . import place_chart
from .folded import CLASS, FoldedSection, chosen_class
from .section import Page


class Where(FoldedSection):
    """A map of places of the images, of a class or of all."""

    name = "where"
    title = "Where in the images the masks lie"
    is_of_pixels = True
    doing = "Reading the masks"

    def read_opened(self, shown: Shown) -> Found:
        """Returns the map of one class, and its centre."""
        evaluation, chosen = shown.evaluations[0], chosen_class(shown)
        label = chosen["label"]
        shares = evaluation.heatmap(label, samples=shown.samples)
        table = evaluation.mask_centres(shown.samples)
        # All classes together are first.
        rows = table[table["class"] == label] if label is not None else table[:1]
        found = rows.to_dict("records")
        return {
            **chosen,
            "shares": np.round(shares, 6).tolist(),
            "centre": found[0] if found else None,
        }

    def add_opened(self, page: Page, found: Found) -> None:
        """Adds the choice of a class, what is seen, and the map."""
        row = page.content.grid("where_choice", orientation="2d", gap=1)
        self.option(
            page, row, CLASS, found["choices"], found["choice"], "What the map shows"
        )
        page.content.md(plain(_text(found)), name="where_text")
        element = self.element("map", found["choice"])
        place = page.place_in(self, element)
        size = len(found["shares"])
        elements.chart(
            page.content,
            element,
            place_chart.places_traces(found["shares"], found["color"]),
            place_chart.places_layout(found["centre"], place, size),
            place_chart.PLACES_HEIGHT,
            page.panel.click,
        )

    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the samples that cover a place."""
        evaluation = shown.evaluation(found["key"])
        size = len(found["shares"])
        row, column = place_chart.place_of(click.params, size)
        label = found["label"]
        view = evaluation.place_view(row, column, label, size, shown.measured)
        what = f"images where {label}" if label is not None else "images whose mask"
        across, down = (f"{100 * (n + 0.5) / size:.0f}%" for n in (column, row))
        text = f"{what} covers {across} of the width, {down} of the height"
        return Part(view, text, [self.element("map", found["choice"]), row, column])


def _text(found: Found) -> str:
    what = "the masks" if found["label"] is None else found["label"]
    centre = found["centre"]
    if centre is None:
        return f"No image has a pixel of {what}."
    x, y = share(centre["centre_x"]), share(centre["centre_y"])
    dx, dy = share(centre["spread_x"]), share(centre["spread_y"])
    return (
        f"The mean share of each place that {what} cover, in "
        f"{count(centre['images'], 'image')}; the cross is the centre, at {x} of the "
        f"width and {y} of the height, the ellipse its spread of {dx} and {dy}. Click "
        "on a place to see the images that cover it."
    )
