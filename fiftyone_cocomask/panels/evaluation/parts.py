"""The samples behind what a person clicks on in the panel, and what they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import CocoMaskError
from . import area_map, figures

if TYPE_CHECKING:
    from ...datasets.evaluations import MaskEvaluation

Found = dict[str, Any]
# A view of the whole dataset, and what it shows.
Part = tuple[Any, str]


def of_bar(
    chart: Found, evaluation: MaskEvaluation, trace: int, bar: int, samples: Any
) -> Part:
    """Returns the samples of a bar of a histogram."""
    from ...datasets.evaluations import Histogram, histogram_view

    histogram = Histogram.from_dict(chart["histograms"][trace])
    is_share = chart["kind"] != "area"
    text = figures.bar_range(histogram, bar, chart["kind"], is_share=is_share)
    if len(chart["keys"]) > 1:
        text += f" in {evaluation.key}"
    return histogram_view(samples, histogram, bar), text


def of_class(
    chart: Found, evaluation: MaskEvaluation, trace: int, index: int, samples: Any
) -> Part:
    """Returns the samples of a class, or of a class and split."""
    name = chart["names"][index]
    part = evaluation.class_view(name, samples)
    text = f"images with {name}"
    split = chart["bars"][trace]["label"]
    if len(chart["keys"]) == 1 and split:
        part = figures.split_view(part, split)
        text += f" in split {split}"
    return part, text


def of_split(split: str, samples: Any) -> Part:
    """Returns the samples of a split."""
    return figures.split_view(samples, split), f"split {split}"


def of_card(evaluation: MaskEvaluation, name: str, samples: Any) -> Part:
    """Returns the samples that a card counts."""
    part = figures.finding_view(evaluation, name, samples)
    return part, figures.finding_text(name)


def of_area_map(
    found: Found, evaluation: Any, stated: int, mask: int, samples: Any
) -> Part:
    """Returns the objects of a cell of the map of areas."""
    from ...datasets.evaluations.stated_area_bins import (
        AnnotatedBins,
        annotated_bin_view,
    )

    bins = AnnotatedBins.from_dict(found["bins"])
    text = area_map.range_text(bins, stated, mask)
    return annotated_bin_view(evaluation, samples, stated, mask), text


def of_other_bucket(evaluation: Any, samples: Any) -> Part:
    """Returns the objects that their stated area puts into another size bucket."""
    from ...datasets.evaluations.stated_area_bins import other_bucket_view

    text = "objects whose stated area is in another size bucket"
    return other_bucket_view(evaluation, samples), text


def of_ranked(worst: Found, row: int | None, samples: Any) -> Part:
    """Returns a sample of the table, or all of them in its order."""
    if row is not None:
        return samples.select(worst["ids"][row]), worst["rows"][row]["Image"]
    text = f"{len(worst['ids'])} samples: {worst['choices'][worst['by']].lower()}"
    return samples.select(worst["ids"], ordered=True), text


def of_issue(key: str, issue: str, samples: Any) -> Part:
    """Returns the samples, or labels, that a search for issues has marked."""
    from ...datasets.issues import MaskIssue
    from ...datasets.issues.counts import issue_view

    return issue_view(samples, key, MaskIssue(issue)), f"issue {issue_name(issue)}"


def issue_name(issue: str) -> str:
    """Returns the name of an issue for a person."""
    return issue.replace("_", " ")


def chart_of(path: str, charts: dict[str, Found]) -> tuple[str, Found]:
    """Returns the chart that an event is of, and its name.

    Raises:
        CocoMaskError: if the panel has changed meanwhile
    """
    name = path.rpartition(".")[2]
    if name not in charts:
        raise CocoMaskError("The panel has changed meanwhile; click again")
    return name, charts[name]
