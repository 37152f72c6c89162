"""Histograms of two evaluations in the same bins, so that bars can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...fiftyone_types import SampleCollection
from ..cached_sums import KeptSums
from ..documents import root_dataset
from ..figures.histogram import Histogram, histogram_of_same_bins

if TYPE_CHECKING:
    from .results import MaskEvaluation

_BINS = 24


def same_bins(
    evaluations: Sequence[MaskEvaluation],
    samples: SampleCollection,
    histograms: Sequence[Histogram],
) -> list[Histogram]:
    """Counts the histograms of two evaluations again, in the same bins.

    Args:
        evaluations: the two evaluations
        samples: the view of the histograms
        histograms: a histogram of each
    """
    first, second = histograms
    pairs = ((first, second), (second, first))
    found = []
    for evaluation, (histogram, other) in zip(evaluations, pairs, strict=True):

        def count(
            view: SampleCollection,
            histogram: Histogram = histogram,
            other: Histogram = other,
        ) -> dict[str, Any]:
            same = histogram_of_same_bins(view, histogram, other, bins=_BINS)
            return same.to_dict()

        # The other's range makes the bins, and it may have been evaluated again.
        span = (*other.edges[:2], other.edges[-1])
        name = f"histogram of {histogram.path} in bins for {span} too"
        sums = KeptSums(root_dataset(samples), evaluation.key)
        found.append(Histogram.from_dict(sums.get(name, samples, count)))
    return found
