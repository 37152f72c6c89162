"""What the panel shows beside an evaluation's tables, summed when it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .overlap import overlap_histogram
from .rankings import first_ranking, ranked_samples, rankings
from .stated_area_bins import annotated_bins

if TYPE_CHECKING:
    from .results import MaskEvaluation


def keep_overview(evaluation: MaskEvaluation) -> None:
    """Sums over all samples now, so that the panel opens at once later."""
    samples = evaluation.samples
    has_stated = bool(annotated_bins(evaluation, samples).counts)
    if evaluation.overlap_path is not None:
        overlap_histogram(evaluation, samples)
    found = rankings(evaluation, has_stated=has_stated)
    ranked_samples(evaluation, first_ranking(evaluation, found, samples), samples)
