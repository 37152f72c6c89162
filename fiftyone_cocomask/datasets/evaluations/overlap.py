"""How much of each image's foreground is under two or more objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...fiftyone_types import SampleCollection
from ..cached_sums import KeptSums
from ..documents import root_dataset
from ..figures.histogram import Histogram, field_histogram

if TYPE_CHECKING:
    from .results import MaskEvaluation

_BINS = 20


def overlap_histogram(
    evaluation: MaskEvaluation, samples: SampleCollection
) -> Histogram:
    """Returns how the images' overlaps are distributed, those of 0 on their own.

    Args:
        evaluation: a coverage evaluation with labels
        samples: the dataset, or a view into it
    """
    path = evaluation.overlap_path

    def count(view: SampleCollection) -> dict[str, Any]:
        return field_histogram(view, path or "", bins=_BINS, scale="log").to_dict()

    sums = KeptSums(root_dataset(samples), evaluation.key)
    return Histogram.from_dict(sums.get(f"histogram of {path}", samples, count))
