"""Where in the images a class lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from bson import ObjectId

from ...fiftyone_types import SampleCollection
from ...geometry.places import place_shares
from ..label_lists import LabelList
from ..masks.options import MaskOptions
from ..measuring.reading import SampleReader
from .drawn import DrawnSample, class_of, drawn_samples
from .drawn_figures import stored_mask

MAX_PLACES = 256


@dataclass(frozen=True, slots=True)
class MaskReader:
    """Reads what of the samples' masks counts.

    Attributes:
        mask_field: the field of the masks
        values: the values that count, none for all but 0
        label: the class whose visible pixels count, where labels are drawn
        labels: where they are
        options: how they are drawn
    """

    mask_field: str
    values: Sequence[int] = ()
    label: str = ""
    labels: LabelList | None = None
    options: MaskOptions | None = None

    def of(self, samples: SampleCollection) -> Iterator[tuple[ObjectId, np.ndarray]]:
        """Yields the id of each sample, and an array that is not 0 where it counts."""
        if self.labels is not None and self.options is not None:
            for sample in drawn_samples(
                samples, self.mask_field, self.labels, self.options
            ):
                yield sample.sample_id, _class_mask(sample, self.label, self.options)
            return
        for records in SampleReader(samples, self.mask_field, None).batches():
            for record in records:
                mask = stored_mask(record)
                if mask is not None and self.values:
                    mask = np.isin(mask, self.values)
                if mask is not None:
                    yield record.sample_id, mask


def mean_shares(masks: Iterable[np.ndarray], size: int) -> np.ndarray:
    """Returns the mean of the masks' place shares.

    Args:
        masks: arrays of shape (height, width), each of its own size
        size: the number of places in each direction

    Returns:
        a float64 array of shape (size, size), all 0 where there is no mask
    """
    total, number = np.zeros((size, size)), 0
    for mask in masks:
        total += place_shares(mask, size)
        number += 1
    return total / max(number, 1)


def _class_mask(sample: DrawnSample, label: str, options: MaskOptions) -> np.ndarray:
    """Returns the pixels of a class that other classes leave visible."""
    if label not in map(class_of, sample.items):
        width, height = sample.size
        return np.zeros((height, width), bool)
    return sample.visible(options)[label]
