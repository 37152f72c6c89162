"""The figures that the panel shows of an evaluation, ready to be drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ...datasets.evaluations import Histogram, MaskEvaluation

MAX_CLASSES = 30
# More splits than these have no bar each.
_MAX_SPLITS = 5

_BUCKETS = {"small": "small objects", "medium": "medium objects"}
_BUCKETS |= {"large": "large objects"}
# What of a summary leads to samples, and how it is called.
_FINDINGS = {
    **_BUCKETS,
    "empty_images": "empty masks",
    "hidden": "hidden objects",
    "empty": "objects of 0 px",
    "images_without_number": "images not measured",
}
# Those that are mentioned only where there are some.
_MENTIONED = ("empty", "images_without_number")


@dataclass(frozen=True, slots=True)
class Card:
    """A number and what it counts.

    Attributes:
        name: the figure of the summary
        number: the number as text
        what: what it counts
        leads: whether there are samples that it leads to
    """

    name: str
    number: str
    what: str
    leads: bool = False


def cards(kind: str, summary: dict[str, Any]) -> list[Card]:
    """Returns the totals of an evaluation, and what deserves a look."""
    found = [_counted("images", summary, "images")]
    if "objects" in summary:
        found.append(_counted("objects", summary, "objects"))
    found += _area_cards(summary) if kind == "area" else _coverage_cards(summary)
    for name, what in _FINDINGS.items():
        number = summary.get(name)
        if number or (number == 0 and name not in _MENTIONED):
            found.append(_counted(name, summary, what, leads=bool(number)))
    return found


def finding_view(evaluation: MaskEvaluation, name: str, samples: Any) -> Any:
    """Returns the samples that a card leads to."""
    from fiftyone import ViewField as F

    if name == "empty_images":
        return samples.match({evaluation.value_path: 0})
    if name == "images_without_number":
        return samples.match({evaluation.value_path: None})
    area = F(f"{evaluation.key}_px")
    if name in _BUCKETS:
        condition = F(f"{evaluation.key}_bucket") == name
    elif name == "hidden":
        condition = (area > 0) & (F(f"{evaluation.key}_visible_px") == 0)
    else:
        condition = area == 0
    return samples.filter_labels(evaluation.label_field, condition)


def finding_text(name: str) -> str:
    """Returns how a card's samples are called."""
    return _FINDINGS[name]


def bar_range(histogram: Histogram, bar: int, what: str, *, is_share: bool) -> str:
    """Returns what a bar counts: ``area 100 – 199 px``."""
    label = bar_labels(histogram, is_share=is_share)[bar]
    return f"{what} {label}" if is_share else f"{what} {label} px"


def bar_labels(histogram: Histogram, *, is_share: bool) -> list[str]:
    """Returns the range of each bar, of shares in percent."""
    if not is_share:
        return histogram.bar_labels()
    bounds = zip(histogram.edges[:-1], histogram.edges[1:], strict=True)
    ends = [(_percent(low), _percent(high)) for low, high in bounds]
    labels = [low if low == high else f"{low} – {high}" for low, high in ends]
    has_zeros = histogram.scale == "log" and histogram.edges[:1] == (0,)
    return ["0 %", *labels[1:]] if has_zeros else labels


@dataclass(frozen=True, slots=True)
class ClassBars:
    """Bars of the same meaning, one per class.

    Attributes:
        label: their split or evaluation, empty if there are no others
        values: their values
        texts: what is said of each
    """

    label: str
    values: list[float]
    texts: list[str]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One value per class and split or evaluation, the class of most pixels first.

    Attributes:
        names: the classes
        bars: their values
        title: what the values are
        is_share: whether they are shares, 0..1
        omitted: how many classes are not among them
    """

    names: list[str]
    bars: list[ClassBars]
    title: str
    is_share: bool
    omitted: int


def class_figures(evaluations: list[MaskEvaluation], samples: Any) -> ClassFigures:
    """Returns the coverage, or the visible area, of each class.

    Args:
        evaluations: one, whose splits have bars of their own, or two of a kind
        samples: the view
    """
    import pandas as pd

    is_share = evaluations[0].kind == "coverage"
    column = "coverage_over_pixels" if is_share else "visible_px"
    title = "Share of all pixels" if is_share else "Visible px"
    tables = _class_tables(evaluations, samples)
    rows = pd.concat(list(tables.values())) if tables else pd.DataFrame()
    if rows.empty:
        return ClassFigures([], [], title, is_share, 0)
    totals = rows.groupby("class")["visible_px"].sum().sort_values(ascending=False)
    names = [str(name) for name in totals.index]
    shown = names[:MAX_CLASSES]
    bars = [
        _class_bars(label, table, shown, column, is_share=is_share)
        for label, table in tables.items()
    ]
    return ClassFigures(shown, bars, title, is_share, len(names) - len(shown))


def split_rows(evaluation: MaskEvaluation, samples: Any) -> list[dict[str, str]]:
    """Returns a row of text per split."""
    rows = []
    for row in evaluation.per_split(samples).to_dict("records"):
        found = {"Split": str(row["split"]), "Images": f"{row['images']:,}"}
        if evaluation.kind == "area":
            if "objects" in row:
                found["Objects"] = f"{row['objects']:,}"
                found["px per object"] = pixels(row["mean_area_px_over_objects"])
            found["px per image"] = pixels(row["mean_area_px_over_images"])
        else:
            found["Mean coverage"] = share(row["mean_coverage_over_images"])
            found["Of all pixels"] = share(row["mean_coverage_over_pixels"])
            if "mean_overlap_over_pixels" in row:
                found["Overlap"] = share(row["mean_overlap_over_pixels"])
        found["Empty"] = f"{row['empty_images']:,}"
        rows.append(found)
    return rows


def split_view(samples: Any, split: str) -> Any:
    """Returns the samples of a split as the tables name it."""
    from ...datasets.evaluations.totals import split_expression

    return samples.match({"$expr": {"$eq": [split_expression(samples), split]}})


def pixels(number: float | None) -> str:
    """Returns a number of pixels as text; pandas makes NaN of None."""
    if number is None or math.isnan(number):
        return "–"
    for factor, unit in ((1e9, "G"), (1e6, "M")):
        if number >= factor:
            return f"{number / factor:,.2f} {unit}"
    return f"{number:,.0f}"


def share(number: float | None) -> str:
    """Returns a share in percent as text; pandas makes NaN of None."""
    return "–" if number is None or math.isnan(number) else f"{number:.1%}"


def _area_cards(summary: dict[str, Any]) -> list[Card]:
    found = [
        Card("foreground_px", pixels(summary["foreground_px"]), "foreground px"),
        _coverage_of(summary["foreground_px"], summary["image_px"]),
        Card(
            "mean_image",
            pixels(summary["mean_area_px_over_images"]),
            "px per image, mean",
        ),
    ]
    if "objects" in summary:
        mean = pixels(summary["mean_area_px_over_objects"])
        found.append(Card("mean_object", mean, "px per object, mean"))
    return found


def _coverage_cards(summary: dict[str, Any]) -> list[Card]:
    mean = share(summary["mean_coverage_over_images"])
    found = [
        Card("mean_coverage", mean, "coverage, mean of images"),
        _coverage_of(summary["foreground_px"], summary["image_px"]),
        Card("foreground_px", pixels(summary["foreground_px"]), "foreground px"),
    ]
    if "mean_overlap_over_pixels" in summary:
        overlap = share(summary["mean_overlap_over_pixels"])
        found.append(Card("overlap", overlap, "of it under 2+ objects"))
    return found


def _coverage_of(foreground_px: int, image_px: int) -> Card:
    ratio = foreground_px / image_px if image_px else None
    return Card("coverage", share(ratio), "coverage of all pixels")


def _counted(
    name: str, summary: dict[str, Any], what: str, *, leads: bool = False
) -> Card:
    return Card(name, f"{summary[name]:,}", what, leads)


def _class_tables(evaluations: list[MaskEvaluation], samples: Any) -> dict[str, Any]:
    """Returns a table of classes for each split, or each of two evaluations."""
    if len(evaluations) > 1:
        return {e.key: e.per_class(samples) for e in evaluations}
    evaluation = evaluations[0]
    table = evaluation.per_class(samples, by_split=True)
    splits = list(dict.fromkeys(table["split"])) if len(table) else []
    if not 1 < len(splits) <= _MAX_SPLITS:
        return {"": evaluation.per_class(samples)}
    return {str(split): table[table["split"] == split] for split in splits}


def _class_bars(
    label: str, table: Any, names: list[str], column: str, *, is_share: bool
) -> ClassBars:
    rows = {} if table.empty else {str(r["class"]): r for r in table.to_dict("records")}
    values, texts = [], []
    for name in names:
        row = rows.get(name)
        value = 0.0 if row is None else float(row[column] or 0)
        values.append(0.0 if math.isnan(value) else value)
        said = [name if not label else f"{name} · {label}"]
        said.append(share(value) if is_share else f"{value:,.0f} px")
        if row is not None:
            said.append(f"{row['images']:,} images")
            if "objects" in row:
                said.append(f"{row['objects']:,} objects")
        texts.append("<br>".join(said))
    return ClassBars(label, values, texts)


def _percent(number: float) -> str:
    return f"{100 * number:.3g} %"
