"""The section of how many objects images have, and how large they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....fiftyone_types import SampleCollection
from ....operators.markdown import plain
from ....words import count
from ... import charts, elements
from ...text import number, share
from ..shown import Click, Found, Part, Shown
from .folded import CLASS, FoldedSection, chosen_class
from .section import Page

if TYPE_CHECKING:
    from ....datasets.evaluations import MaskEvaluation

_FIGURE = "figure"
_FIGURES = {
    "area_px": "area (px)",
    "area_percent": "area (% of the image)",
    "width_px": "width (px)",
    "height_px": "height (px)",
    "aspect": "aspect (width / height)",
    "parts": "parts",
    "holes": "holes",
    "solidity": "solidity (area / area of the convex hull)",
    "vertices": "vertices of the outline",
}
_SIZES = {"small": "Small", "medium": "Medium", "large": "Large"}
_QUANTILES = {
    "min": "Least",
    "q25": "Quartile",
    "median": "Median",
    "q75": "3rd quartile",
    "max": "Greatest",
}
_HEIGHT = 230
_MAX_ROWS = 100


class HowMany(FoldedSection):
    """Bars of objects in an image, and a table of each class's objects and sizes."""

    name = "how_many"
    title = "How many objects, and how large"
    is_of_labels = True
    is_of_pixels = True
    doing = "Measuring the objects"

    def read_opened(self, shown: Shown) -> Found:
        """Returns the bars of a class, and the rows of the table."""
        from ....datasets.figures.counts import ALL_CLASSES

        evaluation, chosen = shown.evaluations[0], chosen_class(shown)
        name = ALL_CLASSES if chosen["label"] is None else chosen["label"]
        counts = evaluation.objects_per_image(shown.samples)
        counts = counts[counts["class"] == name]
        figure = shown.choices.option(_FIGURE, _FIGURES)
        rows = _rows(evaluation, shown.samples, figure)
        return {
            **chosen,
            "objects": counts["objects"].tolist(),
            "images": counts["images"].tolist(),
            "figure": figure,
            "classes": [row["class"] for row in rows][:_MAX_ROWS],
            "rows": [row["cells"] for row in rows][:_MAX_ROWS],
        }

    def add_opened(self, page: Page, found: Found) -> None:
        """Adds the bars, and the table of classes."""
        content = page.content
        row = content.grid("how_many_choice", orientation="2d", gap=1)
        self.option(
            page, row, CLASS, found["choices"], found["choice"], "Which objects count"
        )
        what = "objects" if found["label"] is None else f"{found['label']} objects"
        images = sum(found["images"])
        mean = sum(
            n * i for n, i in zip(found["objects"], found["images"], strict=True)
        ) / max(images, 1)
        text = f"How many of {count(images, 'image')} have how many {what}: {mean:.1f} "
        content.md(plain(f"{text}on average"), name="how_many_text")
        element = self.element("bars", found["choice"])
        place = page.place_in(self, element)
        elements.chart(
            content,
            element,
            [_trace(found, place[0] if place else None)],
            _layout(found),
            _HEIGHT,
            page.panel.click,
        )
        if not found["rows"]:
            return
        row = content.grid("how_large_choice", orientation="2d", gap=1)
        description = "Which figure of the objects the table has"
        self.option(page, row, _FIGURE, _FIGURES, found["figure"], description)
        element = self.element("classes")
        place = page.place_in(self, element)
        elements.table(
            content,
            element,
            found["rows"],
            page.panel.click,
            selected=place[0] if place else None,
        )

    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the images of a bar, or those of a class."""
        evaluation = shown.evaluation(found["key"])
        if click.element == self.element("classes"):
            index = click.params["row"]
            if index < 0:
                return None
            name = found["classes"][index]
            view = evaluation.class_view(name, shown.measured)
            return Part(view, f"images with {name}", [click.element, index])
        index = click.params["idx"]
        objects, label = found["objects"][index], found["label"]
        view = evaluation.objects_view(objects, label, shown.measured)
        text = f"images with {count(objects, 'object')}"
        if label is not None:
            text += f" of {label}"
        return Part(view, text, [self.element("bars", found["choice"]), index])


def _rows(
    evaluation: MaskEvaluation, samples: SampleCollection, figure: str
) -> list[Any]:
    """Returns a row for each class, the one of most objects first."""
    shapes = evaluation.object_shapes(samples)
    if shapes.empty:
        return []
    classes = evaluation.per_class(samples).set_index("class")
    of_all = shapes.iloc[0]
    total = int(of_all["objects"])
    of_figure = shapes[shapes["figure"] == figure].to_dict("records")[1:]
    of_figure.sort(key=lambda row: -row["objects"])
    found = []
    for row in of_figure:
        name = row["class"]
        known = classes.loc[name] if name in classes.index else {}
        cells = {"Class": str(name)}
        if "images" in known:
            cells["Images"] = f"{int(known['images']):,}"
        cells["Objects"] = f"{row['objects']:,}"
        cells["Share"] = share(row["objects"] / total if total else None)
        if figure == "area_px":
            cells |= {t: f"{int(known[n]):,}" for n, t in _SIZES.items() if n in known}
        cells |= {title: number(row[n]) for n, title in _QUANTILES.items()}
        found.append({"class": name, "cells": cells})
    return found


def _trace(found: Found, selected: int | None) -> charts.Trace:
    marker = charts.bar_marker(
        0, len(found["objects"]), None if selected is None else (0, selected)
    )
    return {
        "type": "bar",
        "x": found["objects"],
        "y": found["images"],
        "hovertemplate": "%{x:,} objects<br>in %{y:,} images<extra></extra>",
        "marker": marker | {"color": found["color"]},
    }


def _layout(found: Found) -> charts.Layout:
    layout = charts.base_layout()
    layout["bargap"] = 0.1
    layout["xaxis"]["title"]["text"] = "Objects in an image"
    layout["yaxis"]["title"]["text"] = "Images"
    layout["yaxis"]["tickformat"] = ",d"
    numbers = found["objects"]
    if max(numbers, default=0) - min(numbers, default=0) < 12:
        layout["xaxis"]["dtick"] = 1
    if max(found["images"], default=0) < 5:
        layout["yaxis"]["dtick"] = 1
    return layout
