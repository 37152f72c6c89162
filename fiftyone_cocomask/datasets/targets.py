"""Which samples a function may be asked to work on."""

from __future__ import annotations

import fiftyone as fo

from ..errors import CocoMaskError
from ..fiftyone_types import SampleCollection
from .documents import (
    backing_dataset,
    current_dataset,
    ungrouped_samples,
    with_all_fields,
)

# What functions that work on samples take.
Samples = fo.Dataset | fo.DatasetView


def checked_samples(samples: SampleCollection) -> SampleCollection:
    """Returns what to work on: of a grouped dataset its active slice, as a view.

    Of dynamic groups (``group_by``), that is all their samples; of a view that chooses
    fields, its samples with all of theirs.

    Raises:
        CocoMaskError: if it does not hold images, or holds copies of other samples
    """
    dataset = current_dataset(samples)
    if backing_dataset(samples) is not dataset:
        raise CocoMaskError(
            "A view of patches, clips or frames holds copies of samples; give the "
            "dataset, or a view of its samples"
        )
    samples = with_all_fields(ungrouped_samples(samples))
    if samples.media_type == "group":
        return samples.select_group_slices(samples.group_slice)
    if samples.media_type not in ("image", None):
        raise CocoMaskError(
            f"Dataset '{dataset.name}' holds {samples.media_type} samples; masks are "
            "drawn and measured on images"
        )
    return samples
