"""The section that tells whether the splits are alike."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ....operators.markdown import plain
from ....words import agree, count
from ... import elements
from ...text import number
from ..shown import Click, Found, Part, Shown, Work
from .folded import FoldedSection
from .section import Page
from .splits import split_view

_MAX_ROWS = 60
_FIGURES = {
    "area_px": "mask area (px)",
    "coverage": "coverage",
    "objects": "objects in an image",
    "object_area_px": "object area (px)",
}
_VERDICTS = {True: "alike", False: "differs", None: "too few"}


class Drift(FoldedSection):
    """A table of what differs between the splits, what differs most first."""

    name = "drift"
    title = "Are the splits alike"
    doing = "Comparing the splits"

    def work(self, shown: Shown) -> tuple[str, Callable[[], Work]] | None:
        """Returns the comparison, as long as it has not been made."""
        evaluation = shown.evaluations[0]
        begun = evaluation.drift_pass(shown.samples)
        if begun is None:
            return None
        return f"split drift of {evaluation.key}", lambda: begun

    def read_opened(self, shown: Shown) -> Found:
        """Returns the rows of the table, and how many there are of each verdict."""
        from ....datasets.figures.counts import ALL_CLASSES

        evaluation = shown.evaluations[0]
        rows = evaluation.split_drift(shown.samples).to_dict("records")
        rows.sort(key=_rank)
        verdicts = [_VERDICTS[_verdict(row)] for row in rows]
        return {
            "key": evaluation.key,
            "numbers": {text: verdicts.count(text) for text in _VERDICTS.values()},
            "all": ALL_CLASSES,
            "rows": [
                {
                    "split": row["split"],
                    "class": row["class"],
                    "reference": row["reference"],
                    "cells": _cells(row),
                }
                for row in rows[:_MAX_ROWS]
            ],
        }

    def add_opened(self, page: Page, found: Found) -> None:
        """Adds what was found in a sentence, and the table."""
        page.content.md(plain(_text(found)), name="drift_text")
        if not found["rows"]:
            return
        element = self.element("rows")
        place = page.place_in(self, element)
        elements.table(
            page.content,
            element,
            [row["cells"] for row in found["rows"]],
            page.panel.click,
            text_columns=4,
            selected=place[0] if place else None,
        )

    def part_opened(self, shown: Shown, found: Found, click: Click) -> Part | None:
        """Returns the images of a class in a split."""
        index = click.params["row"]
        if index < 0:
            return None
        row = found["rows"][index]
        view = split_view(shown.measured, row["split"])
        text = f"split {row['split']}"
        if row["class"] != found["all"]:
            view = shown.evaluation(found["key"]).class_view(row["class"], view)
            text = f"images with {row['class']} in split {row['split']}"
        return Part(view, text, [self.element("rows"), index])


def _rank(row: Any) -> tuple[int, float]:
    order = {False: 0, True: 1, None: 2}[_verdict(row)]
    distance = row["distance"]
    known = distance is not None and not math.isnan(distance)
    return order, -distance if known else 0.0


def _verdict(row: Any) -> bool | None:
    return None if row["alike"] is None else bool(row["alike"])


def _cells(row: Any) -> dict[str, str]:
    return {
        "Class": str(row["class"]),
        "Figure": _FIGURES.get(row["figure"], row["figure"]),
        "Splits": f"{row['split']} / {row['reference']}",
        "Verdict": _VERDICTS[_verdict(row)],
        "Means": f"{number(row['mean'])} / {number(row['reference_mean'])}",
        "Distance": number(row["distance"]),
        "Adjusted p": number(row["adjusted_p_value"]),
        "Sources": f"{row['sources']:,} / {row['reference_sources']:,}",
    }


def _text(found: Found) -> str:
    numbers = found["numbers"]
    total = sum(numbers.values())
    if not total:
        return "There is one split only, and nothing to compare it with."
    said = (
        f"Of {count(total, 'comparison')} {numbers['differs']:,} "
        f"{agree(numbers['differs'], 'differs', 'differ')}, {numbers['alike']:,} "
        f"{agree(numbers['alike'], 'is', 'are')} alike, and {numbers['too few']:,} "
        f"{agree(numbers['too few'], 'has', 'have')} too few source images to "
        "tell. Copies of a source count once; the distance is that of "
        "Kolmogorov and Smirnov, 0 to 1. Click on a row to see its images."
    )
    if total > len(found["rows"]):
        said += f" The first {len(found['rows'])} are listed."
    return said
