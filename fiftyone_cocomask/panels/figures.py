"""The figures that the panel shows of an evaluation, ready to be drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .charts import MAX_CLASSES

if TYPE_CHECKING:
    from ..datasets.evaluations import Histogram, MaskEvaluation

_BINS = 24


@dataclass(frozen=True, slots=True)
class Finding:
    """Samples that deserve a look, one click away.

    Attributes:
        name: what they are called in the panel's state
        label: the text of the button
        number: how many there are
    """

    name: str
    label: str
    number: int


def cards(kind: str, summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns the totals of an evaluation: a number and what it counts."""
    found = [(f"{summary['images']:,}", "images")]
    if "objects" in summary:
        found.append((f"{summary['objects']:,}", "objects"))
    if kind == "area":
        found += [
            (_pixels(summary["foreground_px"]), "foreground px"),
            (_pixels(summary["mean_area_px_over_images"]), "px per image, mean"),
        ]
        if "objects" in summary:
            found.append(
                (_pixels(summary["mean_area_px_over_objects"]), "px per object, mean")
            )
            found += [
                (f"{summary[name]:,}", f"{name} objects")
                for name in ("small", "medium", "large")
            ]
    else:
        found += [
            (_share(summary["mean_coverage_over_images"]), "coverage, mean of images"),
            (_share(summary["mean_coverage_over_pixels"]), "coverage of all pixels"),
        ]
        if "mean_overlap_over_pixels" in summary:
            overlap = _share(summary["mean_overlap_over_pixels"])
            found.append((overlap, "of it under 2+ objects"))
    return found


def findings(summary: dict[str, Any]) -> list[Finding]:
    """Returns what deserves a look, without what there is none of."""
    found = [
        Finding("empty", "Empty masks", summary["empty_images"]),
        Finding("hidden", "Hidden objects", summary.get("hidden", 0)),
        Finding("no_pixels", "Objects of 0 px", summary.get("empty", 0)),
        Finding("unmeasured", "Not measured", summary["images_without_number"]),
    ]
    return [finding for finding in found if finding.number]


def finding_view(evaluation: MaskEvaluation, name: str, samples: Any) -> Any:
    """Returns the samples of a finding."""
    from fiftyone import ViewField as F

    if name == "empty":
        return samples.match({evaluation.value_path: 0})
    if name == "unmeasured":
        return samples.match({evaluation.value_path: None})
    area = F(f"{evaluation.key}_px")
    visible = F(f"{evaluation.key}_visible_px")
    condition = {"hidden": (area > 0) & (visible == 0), "no_pixels": area == 0}[name]
    return samples.filter_labels(evaluation.label_field, condition)


def histogram_of(evaluation: MaskEvaluation, samples: Any, *, of_labels: bool) -> Any:
    """Returns the histogram of an evaluation: of areas on a log scale."""
    return evaluation.histogram(
        samples,
        of_labels=of_labels,
        bins=_BINS if evaluation.kind == "area" else 20,
        scale="log" if evaluation.kind == "area" else "linear",
    )


def bar_range(histogram: Histogram, bar: int, kind: str) -> str:
    """Returns what a bar counts: ``area 100 – 199 px``."""
    if kind == "area":
        return f"area {histogram.bar_labels()[bar]} px"
    low, high = histogram.edges[bar], histogram.edges[bar + 1]
    return f"coverage {low:.1%} – {high:.1%}"


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One value per class, the greatest first.

    Attributes:
        names: the classes
        values: their values
        texts: what is said of each
        title: what the values are
        is_share: whether they are shares, 0..1
        omitted: how many classes are not among them
    """

    names: list[str]
    values: list[float]
    texts: list[str]
    title: str
    is_share: bool
    omitted: int


def class_figures(evaluation: MaskEvaluation, samples: Any) -> ClassFigures:
    """Returns the coverage, or the visible area, of each class."""
    table = evaluation.per_class(samples)
    is_share = evaluation.kind == "coverage"
    column = "coverage_over_pixels" if is_share else "visible_px"
    title = "Share of all pixels" if is_share else "Visible px"
    if table.empty:
        return ClassFigures([], [], [], title, is_share, 0)
    table = table.sort_values(column, ascending=False)
    shown = table.head(MAX_CLASSES)
    rows = shown.to_dict("records")
    texts = [
        f"{row['class']}<br>"
        + (_share(row[column]) if is_share else f"{row[column]:,} px")
        + f"<br>{row['images']:,} images"
        + (f"<br>{row['objects']:,} objects" if "objects" in row else "")
        for row in rows
    ]
    values = [float(row[column] or 0) for row in rows]
    names = [str(row["class"]) for row in rows]
    return ClassFigures(names, values, texts, title, is_share, len(table) - len(shown))


def split_rows(evaluation: MaskEvaluation, samples: Any) -> list[dict[str, str]]:
    """Returns a row of text per split."""
    rows = []
    for row in evaluation.per_split(samples).to_dict("records"):
        found = {"split": str(row["split"])}
        found |= {what: number for number, what in cards(evaluation.kind, row)}
        found["empty masks"] = f"{row['empty_images']:,}"
        rows.append(found)
    return rows


def split_view(samples: Any, split: str) -> Any:
    """Returns the samples of a split as the tables name it."""
    from ..datasets.evaluations.figures import split_expression

    return samples.match({"$expr": {"$eq": [split_expression(samples), split]}})


# Pandas makes NaN of None.
def _pixels(number: float | None) -> str:
    if number is None or math.isnan(number):
        return "–"
    for factor, unit in ((1e9, "G"), (1e6, "M")):
        if number >= factor:
            return f"{number / factor:,.2f} {unit}"
    return f"{number:,.0f}"


def _share(number: float | None) -> str:
    return "–" if number is None or math.isnan(number) else f"{number:.1%}"
