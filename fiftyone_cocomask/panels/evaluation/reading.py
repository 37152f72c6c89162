"""What the panel shows of one or two evaluations, read from the database.

All of it is counts, bins and texts, as JSON holds them: it travels with each event of
the panel, and is as small for 100,000 samples as for ten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .figures import cards, class_figures, split_rows
from .figures import pixels as pixels_text
from .figures import share as share_text

if TYPE_CHECKING:
    from ...datasets.evaluations import Histogram, MaskEvaluation
    from ...datasets.evaluations.rankings import Ranking

OBJECTS = "Objects"
IMAGES = "Images"

Found = dict[str, Any]


def read(
    evaluations: list[MaskEvaluation], samples: Any, counted: str, worst_by: str | None
) -> Found:
    """Returns what the panel shows.

    Args:
        evaluations: one, or two to compare
        samples: the view that the grid shows
        counted: whether histograms are of ``OBJECTS``, where those have a number, or
            of ``IMAGES``
        worst_by: the name of the ranking of the samples, None for the first one
    """
    groups = _groups(evaluations)
    # MongoDB works on each of its queries with one core.
    with ThreadPoolExecutor(max_workers=2) as pool:
        histograms = pool.submit(_histograms, groups, samples, counted)
        annotated = pool.submit(_annotated_and_worst, evaluations, samples, worst_by)
        summaries = [evaluation.summary(samples) for evaluation in evaluations]
        return {
            "keys": [evaluation.key for evaluation in evaluations],
            "kinds": [evaluation.kind for evaluation in evaluations],
            "images": max(summary["images"] for summary in summaries),
            "cards": [
                [asdict(c) for c in cards(evaluation.kind, summary)]
                for evaluation, summary in zip(evaluations, summaries, strict=True)
            ],
            "has_objects": any(e.label_value_path for e in evaluations),
            "with_objects": [e.label_value_path is not None for e in evaluations],
            "classes": [_classes(group, samples) for group in groups],
            "splits": _splits(evaluations, samples),
            "issues": _issues(samples),
            "histograms": histograms.result(),
            **annotated.result(),
        }


def images_to_sum_up(evaluations: list[MaskEvaluation], samples: Any) -> int:
    """Returns how many images :func:`read` has to sum up; 0 if that is done in a blink.

    Args:
        evaluations: what is to be read
        samples: the view that the grid shows
    """
    from ...datasets.cached_sums import MANY_SAMPLES

    if all(evaluation.are_sums_kept(samples) for evaluation in evaluations):
        return 0
    images = len(samples)
    return images if images >= MANY_SAMPLES else 0


def _groups(evaluations: list[MaskEvaluation]) -> list[list[MaskEvaluation]]:
    """Returns evaluations that one chart can show: those of a kind."""
    kinds = dict.fromkeys(evaluation.kind for evaluation in evaluations)
    return [[e for e in evaluations if e.kind == kind] for kind in kinds]


def _histograms(
    groups: list[list[MaskEvaluation]], samples: Any, counted: str
) -> list[Found]:
    found = []
    for group in groups:
        of_labels = counted == OBJECTS and all(e.label_value_path for e in group)
        kind = group[0].kind
        counts = [e.overview_histogram(samples, of_labels=of_labels) for e in group]
        found.append(
            {
                "name": f"{kind}_of_{'objects' if of_labels else 'images'}",
                "noun": "objects" if of_labels else "images",
                "kind": kind,
                "keys": [e.key for e in group],
                "histograms": _same_bins(group, samples, counts),
            }
        )
    return found + _overlap_histograms(groups, samples)


def _overlap_histograms(
    groups: list[list[MaskEvaluation]], samples: Any
) -> list[Found]:
    from ...datasets.evaluations import CoverageResults
    from ...datasets.evaluations.overlap import overlap_histogram

    evaluations = [
        e
        for group in groups
        for e in group
        if isinstance(e, CoverageResults) and e.overlap_path is not None
    ]
    if not evaluations:
        return []
    counts = [overlap_histogram(e, samples) for e in evaluations]
    return [
        {
            "name": "overlap_of_images",
            "noun": "images",
            "kind": "overlap",
            "keys": [e.key for e in evaluations],
            "histograms": _same_bins(evaluations, samples, counts),
        }
    ]


def _same_bins(
    evaluations: Sequence[MaskEvaluation],
    samples: Any,
    histograms: list[Histogram],
) -> list[Found]:
    """Returns the histograms with the same bins, so that bars can be compared."""
    from ...datasets.evaluations.same_bins import same_bins

    if len(histograms) == 2 and all(h.counts for h in histograms):
        histograms = same_bins(evaluations, samples, histograms)
    return [histogram.to_dict() for histogram in histograms]


def _classes(group: list[MaskEvaluation], samples: Any) -> Found:
    figures = class_figures(group, samples)
    return {
        **asdict(figures),
        "kind": group[0].kind,
        "keys": [evaluation.key for evaluation in group],
    }


def _splits(evaluations: list[MaskEvaluation], samples: Any) -> list[Found]:
    return [{"key": e.key, "rows": split_rows(e, samples)} for e in evaluations]


def _annotated_and_worst(
    evaluations: list[MaskEvaluation], samples: Any, worst_by: str | None
) -> Found:
    from ...datasets.evaluations.rankings import rankings

    annotated = _annotated(evaluations, samples)
    has_stated = any(found["key"] == evaluations[0].key for found in annotated)
    ranked = rankings(*evaluations, has_stated=has_stated)
    worst = _worst(evaluations[0], ranked, samples, worst_by)
    return {"annotated": annotated, "worst": worst}


def _annotated(evaluations: list[MaskEvaluation], samples: Any) -> list[Found]:
    from ...datasets.evaluations import AreaResults
    from ...datasets.evaluations.stated_area_bins import annotated_bins

    found = []
    for evaluation in evaluations:
        if not isinstance(evaluation, AreaResults):
            continue
        bins = annotated_bins(evaluation, samples)
        if bins.counts:
            sums = evaluation.annotated_areas(samples)
            found.append(
                {
                    "key": evaluation.key,
                    "bins": bins.to_dict(),
                    "text": sums["text"],
                    "in_other_bucket": sums["in_other_bucket"],
                }
            )
    return found


def _worst(
    evaluation: MaskEvaluation,
    rankings_: list[Ranking],
    samples: Any,
    worst_by: str | None,
) -> Found:
    from ...datasets.evaluations.rankings import first_ranking, ranked_samples

    known = {ranking.name: ranking for ranking in rankings_}
    ranking = known.get(worst_by or "") or first_ranking(evaluation, rankings_, samples)
    ranked = ranked_samples(evaluation, ranking, samples)
    text = share_text if ranking.is_share else pixels_text
    return {
        "by": ranking.name,
        "choices": {ranking.name: ranking.label for ranking in known.values()},
        "ids": [sample.sample_id for sample in ranked],
        "rows": [
            {
                "Image": _short_name(sample.filepath),
                "Split": sample.split,
                ranking.column: text(sample.number),
            }
            for sample in ranked
        ],
    }


def _short_name(filepath: str) -> str:
    """Returns the name of a file, without most of the hash that Roboflow adds."""
    return re.sub(r"(\.rf\.\w{6})\w{12,}", r"\1…", Path(filepath).name)


def _issues(samples: Any) -> list[Found]:
    from ...datasets.issues import list_mask_issues
    from ...datasets.issues.counts import issue_counts

    found = []
    for key in list_mask_issues(samples):
        counts = issue_counts(samples, key)
        found.append({"key": key, "counts": {i.value: n for i, n in counts.items()}})
    return found
